"""What boto3 knows of Lambda, as JSON on the standard output: operations, and the members of their requests and answers."""

import json

import boto3

model = boto3.client("lambda", region_name="us-east-1").meta.service_model


def members(shape):
    return list(shape.members) if shape else []


operations = map(model.operation_model, model.operation_names)
print(json.dumps({each.name: members(each.input_shape) + members(each.output_shape) for each in operations}))

"""Executions deleted with boto3, as JSON on the standard output. Arguments: the endpoint, a deployment package."""

import json
import sys
import time

import boto3

ENDPOINT, PACKAGE = sys.argv[1:]
client = boto3.client(
    "lambda",
    endpoint_url=ENDPOINT,
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)
missing = client.exceptions.ResourceNotFoundException
running = client.exceptions.ResourceConflictException

with open(PACKAGE, "rb") as file:
    client.create_function(
        FunctionName="orders",
        Role="arn:aws:iam::000000000000:role/any",
        Runtime="nodejs24.x",
        Handler="index.handler",
        Code={"ZipFile": file.read()},
        DurableConfig={"ExecutionTimeout": 600},
    )


def start(name, event, **more):
    payload = json.dumps(event).encode()
    return client.invoke(
        FunctionName="orders:$LATEST", DurableExecutionName=name, Payload=payload, **more
    )["DurableExecutionArn"]


def raises(error, call, arn):
    try:
        call(DurableExecutionArn=arn)
    except error:
        return True
    return False


ended = start("ended", {"name": "Ada"})
waiting = start("waiting", {"name": "Ada", "approval": True}, InvocationType="Event")

asked = client.delete_durable_execution(DurableExecutionArn=ended)
# Until its data is gone it is there, with a status of its own.
seen = set()
for _ in range(600):
    if raises(missing, lambda **arn: seen.add(client.get_durable_execution(**arn)["Status"]), ended):
        break
    time.sleep(0.05)
listed = client.list_durable_executions_by_function(FunctionName="orders", Qualifier="$LATEST")
print(
    json.dumps(
        {
            "status": asked["ResponseMetadata"]["HTTPStatusCode"],
            "asked": asked["DeletionRequestTimestamp"].timestamp(),
            "isGone": raises(missing, client.get_durable_execution, ended),
            "meanwhile": sorted(seen),
            "isRefusedWhileItRuns": raises(running, client.delete_durable_execution, waiting),
            "left": [each["DurableExecutionName"] for each in listed["DurableExecutions"]],
        }
    )
)

"""The life of a durable function with boto3: what test/interop/life.ts expects, as JSON on the standard output.

Arguments: the endpoint, and the files of two deployment packages.
"""

import base64
import hashlib
import json
import sys
import time

import boto3
from botocore.config import Config

ENDPOINT, ONE, TWO = sys.argv[1:]
ROLE = "arn:aws:iam::000000000000:role/any"
NAME = "orders"

client = boto3.client(
    "lambda",
    endpoint_url=ENDPOINT,
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)
EVERY_SECOND = {"Delay": 1, "MaxAttempts": 30}


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def sha256(path):
    return base64.b64encode(hashlib.sha256(contents(path)).digest()).decode()


def refusal(call):
    """The class of the error that a call raises, its status and its text."""
    try:
        call()
    except client.exceptions.ClientError as error:
        answer = error.response
        return [
            type(error).__name__,
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"]["Message"],
        ]
    return ["nothing was raised", 0, ""]


def create(name=NAME, handler="index.handler", **more):
    return client.create_function(
        FunctionName=name,
        Role=ROLE,
        Runtime="nodejs24.x",
        Handler=handler,
        Code={"ZipFile": contents(ONE)},
        Environment={"Variables": {"STAGE": "test"}},
        **more,
    )


def invoke(name, event, **more):
    return client.invoke(
        FunctionName=f"{NAME}:live",
        Payload=json.dumps(event).encode(),
        DurableExecutionName=name,
        **more,
    )


def until(look):
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError("it never came")


def history(arn):
    pages = client.get_paginator("get_durable_execution_history").paginate(
        DurableExecutionArn=arn, PaginationConfig={"PageSize": 2}
    )
    return [event for page in pages for event in page["Events"]]


def callback_id(arn):
    def look():
        started = [e for e in history(arn) if e["EventType"] == "CallbackStarted"]
        return started and started[0]["CallbackStartedDetails"]["CallbackId"]

    return until(look)


def closed(arn):
    def look():
        execution = client.get_durable_execution(DurableExecutionArn=arn)
        return execution if execution["Status"] != "RUNNING" else None

    return until(look)


life = {}

created = create(DurableConfig={"ExecutionTimeout": 600, "RetentionPeriodInDays": 1})
client.get_waiter("function_exists").wait(FunctionName=NAME, WaiterConfig=EVERY_SECOND)
client.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig=EVERY_SECOND)
life["created"] = {
    "arn": created["FunctionArn"],
    "version": created["Version"],
    "isOne": created["CodeSha256"] == sha256(ONE),
    "durable": created["DurableConfig"],
}

client.update_function_configuration(FunctionName=NAME, Timeout=20, Description="of orders")
client.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig=EVERY_SECOND)
client.update_function_code(FunctionName=NAME, ZipFile=contents(TWO))
client.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig=EVERY_SECOND)
updated = client.get_function(FunctionName=NAME)["Configuration"]
life["updated"] = {
    "timeout": updated["Timeout"],
    "description": updated["Description"],
    "state": updated["State"],
    "lastUpdate": updated["LastUpdateStatus"],
    "isTwo": updated["CodeSha256"] == sha256(TWO),
}

published = client.publish_version(FunctionName=NAME)
client.get_waiter("published_version_active").wait(
    FunctionName=NAME, Qualifier=published["Version"], WaiterConfig=EVERY_SECOND
)
alias = client.create_alias(FunctionName=NAME, Name="live", FunctionVersion=published["Version"])
versions = client.get_paginator("list_versions_by_function").paginate(
    FunctionName=NAME, PaginationConfig={"PageSize": 1}
)
life["published"] = {
    "version": published["Version"],
    "alias": alias["AliasArn"],
    "versions": [each["Version"] for page in versions for each in page["Versions"]],
}

invoked = invoke("first", {"name": "Ada"})
life["invoked"] = {
    "status": invoked["StatusCode"],
    "version": invoked["ExecutedVersion"],
    "result": json.loads(invoked["Payload"].read()),
    "execution": invoked["DurableExecutionArn"],
}
# Near the limit of what a synchronous invoke may carry.
large = invoke("large", {"name": "Ada", "padding": "p" * 5_000_000})
life["large"] = json.loads(large["Payload"].read())

started = invoke("approved", {"name": "Ada", "approval": True}, InvocationType="Event")
approved = started["DurableExecutionArn"]
approval = callback_id(approved)
client.send_durable_execution_callback_heartbeat(CallbackId=approval)
client.send_durable_execution_callback_success(CallbackId=approval, Result=b'"Grace"')
ended = closed(approved)
life["approved"] = {
    "accepted": started["StatusCode"],
    "status": ended["Status"],
    "result": json.loads(ended["Result"]),
    "input": json.loads(ended["InputPayload"]),
    "seconds": (ended["EndTimestamp"] - ended["StartTimestamp"]).total_seconds(),
    "sinceStart": time.time() - ended["StartTimestamp"].timestamp(),
    "history": [event["EventType"] for event in history(approved)],
}

refused = invoke("refused", {"name": "Ada", "approval": True}, InvocationType="Event")["DurableExecutionArn"]
client.send_durable_execution_callback_failure(
    CallbackId=callback_id(refused), Error={"ErrorType": "Refused", "ErrorMessage": "too dear"}
)
life["refused"] = {"status": closed(refused)["Status"], "message": closed(refused)["Error"]["ErrorMessage"]}

stopped = invoke("stopped", {"name": "Ada", "approval": True}, InvocationType="Event")["DurableExecutionArn"]
callback_id(stopped)
client.stop_durable_execution(
    DurableExecutionArn=stopped, Error={"ErrorType": "Operator", "ErrorMessage": "enough"}
)
life["stopped"] = {"status": closed(stopped)["Status"], "error": closed(stopped)["Error"]}


def names(**more):
    pages = client.get_paginator("list_durable_executions_by_function").paginate(
        FunctionName=NAME, Qualifier="live", PaginationConfig={"PageSize": 2}, **more
    )
    return [each["DurableExecutionName"] for page in pages for each in page["DurableExecutions"]]


life["listed"] = {"all": names(ReverseOrder=True), "ended": names(Statuses=["FAILED", "STOPPED"])}

create("plain", "index.plain")


def greet(name):
    answer = client.invoke(FunctionName="plain", Payload=json.dumps({"name": name}).encode(), LogType="Tail")
    return {
        "result": json.loads(answer["Payload"].read()),
        "failed": answer.get("FunctionError"),
        "log": base64.b64decode(answer["LogResult"]).decode(),
    }


greeted, failed = greet("Ada"), greet("")
life["plain"] = {
    "result": greeted["result"],
    "log": greeted["log"],
    "failed": failed["failed"],
    "error": failed["result"]["errorMessage"],
}

life["refusals"] = {
    "again": refusal(create),
    "unknown": refusal(lambda: client.get_function(FunctionName="nobody")),
    "nameTaken": refusal(lambda: invoke("first", {"name": "Grace"})),
    "unqualified": refusal(lambda: client.invoke(FunctionName=NAME)),
    "notJson": refusal(lambda: client.invoke(FunctionName=f"{NAME}:live", Payload=b"{")),
    "callbackOver": refusal(lambda: client.send_durable_execution_callback_success(CallbackId=approval)),
    "pointedTo": refusal(lambda: client.delete_function(FunctionName=NAME, Qualifier="1")),
    "changedMeanwhile": refusal(
        lambda: client.update_function_configuration(
            FunctionName=NAME, Timeout=9, RevisionId=created["RevisionId"]
        )
    ),
}

client.delete_alias(FunctionName=NAME, Name="live")
client.delete_function(FunctionName=NAME)
life["deleted"] = refusal(lambda: client.get_function(FunctionName=NAME))

print(json.dumps(life))

"""The scenarios of test/interop/scenarios.ts in Python, with the official durable SDK."""

import json
import os

from aws_durable_execution_sdk_python import (
    DurableContext,
    ParallelBranch,
    durable_execution,
)
from aws_durable_execution_sdk_python.config import Duration, StepConfig, StepSemantics
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
)

SECOND = Duration.from_seconds(1)


def retry(_event, context: DurableContext):
    def flaky(step):
        if step.attempt < 2:
            raise RuntimeError("not yet")
        return {"attempt": step.attempt}

    def strategy(_error, attempt):
        return RetryDecision.retry(SECOND) if attempt < 3 else RetryDecision.no_retry()

    return context.step(flaky, "flaky", StepConfig(retry_strategy=strategy))


def failure(_event, context: DurableContext):
    def order(_step):
        raise RuntimeError("out of stock")

    never = StepConfig(retry_strategy=lambda _error, _attempt: RetryDecision.no_retry())
    return context.step(order, "order", never)


def wait(_event, context: DurableContext):
    context.wait(SECOND, "pause")
    return "waited"


def callback(event, context: DurableContext):
    answer = context.wait_for_callback(
        lambda _callback_id, _context: note(event, "asked"), "approval"
    )
    return json.loads(answer)


def child(_event, context: DurableContext):
    def room(inner: DurableContext):
        found = inner.step(lambda _step: "found", "look")
        inner.wait(SECOND, "rest")
        return found

    return context.run_in_child_context(room, "room")


def map_(event, context: DurableContext):
    def double(item: DurableContext, number, _index, _numbers):
        return item.step(lambda _step: number * 2, "double")

    return context.map(event["numbers"], double, "numbers").get_results()


def parallel(_event, context: DurableContext):
    def quick(branch: DurableContext):
        return branch.step(lambda _step: "hare", "run")

    def slow(branch: DurableContext):
        branch.wait(SECOND, "nap")
        return branch.step(lambda _step: "tortoise", "walk")

    branches = [ParallelBranch(quick, "quick"), ParallelBranch(slow, "slow")]
    return context.parallel(branches, "both").get_results()


def condition(_event, context: DurableContext):
    def strategy(looks, _attempt):
        if looks < 3:
            return WaitForConditionDecision.continue_waiting(SECOND)
        return WaitForConditionDecision.stop_polling()

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    return context.wait_for_condition(lambda looks, _check: looks + 1, config, "third time")


def large(event, context: DurableContext):
    made = context.step(lambda _step: "x" * event["stepBytes"], "large")
    context.wait(SECOND, "pause")
    return {"made": len(made), "padding": event["padding"]}


def many(event, context: DurableContext):
    made = 0
    for index in range(event["steps"]):
        made += len(context.step(lambda _step: "x" * event["stepBytes"], f"part {index}"))
    context.wait(SECOND, "pause")
    return made


def crash(event, context: DurableContext):
    context.step(lambda _step: note(event, "before"), "before")
    context.step(lambda _step: exit_at_first(event), "fatal")
    context.step(lambda _step: note(event, "after"), "after")
    return "survived"


def interrupted(event, context: DurableContext):
    def strategy(_error, attempt):
        return RetryDecision.retry(SECOND) if attempt < 2 else RetryDecision.no_retry()

    semantics = StepSemantics.AT_MOST_ONCE_PER_RETRY
    config = StepConfig(retry_strategy=strategy, step_semantics=semantics)
    context.step(lambda _step: exit_at_first(event), "once", config)
    return "tried again"


def chain(event, context: DurableContext):
    functions = event["chain"]
    if not functions:
        if event.get("fails"):
            raise RuntimeError("out of stock")
        return ["python"]
    further = context.invoke(functions[0], {**event, "chain": functions[1:]}, "next")
    return ["python", *further]


SCENARIOS = {
    "retry": retry,
    "failure": failure,
    "wait": wait,
    "callback": callback,
    "child": child,
    "map": map_,
    "parallel": parallel,
    "condition": condition,
    "large": large,
    "many": many,
    "crash": crash,
    "interrupted": interrupted,
    "chain": chain,
}


def exit_at_first(event):
    note(event, "fatal")
    with open(event["ledger"], encoding="utf-8") as ledger:
        if ledger.read().count("fatal") == 1:
            os._exit(7)


def note(event, line):
    with open(event["ledger"], "a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")


@durable_execution
def handler(event, context: DurableContext):
    return SCENARIOS[event["scenario"]](event, context)

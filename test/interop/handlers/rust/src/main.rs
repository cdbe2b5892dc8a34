//! The scenarios of `test/interop/scenarios.ts` in Rust, with the official durable SDK.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write;
use std::time::Duration;

use aws_durable_execution_sdk as durable;
use durable::builders::wait_for_condition::WaitDecision;
use durable::{BoxError, Branch, DurableContext, RetryDecision, StepSemantics};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

async fn handler(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    match text(&event, "scenario").as_str() {
        "retry" => retry(context).await,
        "failure" => failure(context).await,
        "wait" => wait(context).await,
        "callback" => callback(event, context).await,
        "child" => child(context).await,
        "map" => map(event, context).await,
        "parallel" => parallel(context).await,
        "condition" => condition(context).await,
        "large" => large(event, context).await,
        "many" => many(event, context).await,
        "crash" => crash(event, context).await,
        "interrupted" => interrupted(event, context).await,
        "chain" => chain(event, context).await,
        other => Err(format!("there is no scenario {other}").into()),
    }
}

async fn retry(context: DurableContext) -> Result<Value, BoxError> {
    let attempt: u32 = context
        .step(|step| async move {
            if step.attempt() < 2 {
                return Err("not yet".into());
            }
            Ok(step.attempt())
        })
        .name("flaky")
        .retry_strategy(|_error, attempt| match attempt {
            ..3 => RetryDecision::Retry { delay: SECOND },
            _ => RetryDecision::Stop,
        })
        .await?;
    Ok(json!({ "attempt": attempt }))
}

async fn failure(context: DurableContext) -> Result<Value, BoxError> {
    let ordered: Value = context
        .step(|_| async { Err("out of stock".into()) })
        .name("order")
        .retry_strategy(|_error, _attempt| RetryDecision::Stop)
        .await?;
    Ok(ordered)
}

async fn wait(context: DurableContext) -> Result<Value, BoxError> {
    context.wait(SECOND).name("pause").await?;
    Ok(json!("waited"))
}

async fn callback(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    let answer = context
        .wait_for_callback::<Value, _, _>(move |_step, _callback_id| async move {
            note(&event, "asked")?;
            Ok(())
        })
        .name("approval")
        .await?;
    Ok(answer)
}

async fn child(context: DurableContext) -> Result<Value, BoxError> {
    let found: String = context
        .run_in_child_context(|room| async move {
            let found = room.step(|_| async { Ok("found".to_owned()) }).name("look").await?;
            room.wait(SECOND).name("rest").await?;
            Ok(found)
        })
        .name("room")
        .await?;
    Ok(json!(found))
}

async fn map(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    let numbers: Vec<i64> = serde_json::from_value(event["numbers"].clone())?;
    let doubled: Vec<i64> = context
        .map(numbers, |item, number, _index| async move {
            Ok(item.step(move |_| async move { Ok(number * 2) }).name("double").await?)
        })
        .name("numbers")
        .await?;
    Ok(json!(doubled))
}

async fn parallel(context: DurableContext) -> Result<Value, BoxError> {
    let branches: Vec<Branch<String>> = vec![
        Branch::new("quick", |branch| async move {
            Ok(branch.step(|_| async { Ok("hare".to_owned()) }).name("run").await?)
        }),
        Branch::new("slow", |branch| async move {
            branch.wait(SECOND).name("nap").await?;
            Ok(branch.step(|_| async { Ok("tortoise".to_owned()) }).name("walk").await?)
        }),
    ];
    Ok(json!(context.parallel(branches).name("both").await?))
}

async fn condition(context: DurableContext) -> Result<Value, BoxError> {
    let looks = context
        .wait_for_condition(|_check, looks: i64| async move { Ok(looks + 1) }, 0)
        .wait_strategy_fn(|looks: i64, _attempt| match looks {
            ..3 => WaitDecision::continue_with(SECOND),
            _ => WaitDecision::complete(),
        })
        .name("third time")
        .await?;
    Ok(json!(looks))
}

async fn large(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    let bytes = serde_json::from_value::<usize>(event["stepBytes"].clone())?;
    let made: String =
        context.step(move |_| async move { Ok("x".repeat(bytes)) }).name("large").await?;
    context.wait(SECOND).name("pause").await?;
    Ok(json!({ "made": made.len(), "padding": event["padding"] }))
}

async fn many(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    let bytes = serde_json::from_value::<usize>(event["stepBytes"].clone())?;
    let mut made = 0;
    for index in 0..serde_json::from_value::<usize>(event["steps"].clone())? {
        let text: String = context
            .step(move |_| async move { Ok("x".repeat(bytes)) })
            .name(format!("part {index}"))
            .await?;
        made += text.len();
    }
    context.wait(SECOND).name("pause").await?;
    Ok(json!(made))
}

async fn crash(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    for name in ["before", "fatal", "after"] {
        let event = event.clone();
        context
            .step(move |_| async move {
                if name == "fatal" {
                    return Ok(exit_at_first(&event)?);
                }
                Ok(note(&event, name)?)
            })
            .name(name)
            .await?;
    }
    Ok(json!("survived"))
}

async fn interrupted(event: Value, context: DurableContext) -> Result<Value, BoxError> {
    context
        .step(move |_| async move { Ok(exit_at_first(&event)?) })
        .name("once")
        .semantics(StepSemantics::AtMostOncePerRetry)
        .retry_strategy(|_error, attempt| match attempt {
            ..2 => RetryDecision::Retry { delay: SECOND },
            _ => RetryDecision::Stop,
        })
        .await?;
    Ok(json!("tried again"))
}

async fn chain(mut event: Value, context: DurableContext) -> Result<Value, BoxError> {
    let mut passed = vec![json!("rust")];
    let mut functions: Vec<String> = serde_json::from_value(event["chain"].clone())?;
    if !functions.is_empty() {
        let next = functions.remove(0);
        event["chain"] = json!(functions);
        passed.extend(context.invoke::<Vec<Value>, _>(next, event).name("next").await?);
    } else if event["fails"] == json!(true) {
        return Err("out of stock".into());
    }
    Ok(json!(passed))
}

fn text(event: &Value, member: &str) -> String {
    event[member].as_str().unwrap_or_default().to_owned()
}

fn exit_at_first(event: &Value) -> std::io::Result<()> {
    note(event, "fatal")?;
    if read_to_string(text(event, "ledger"))?.matches("fatal").count() == 1 {
        std::process::exit(7);
    }
    Ok(())
}

fn note(event: &Value, line: &str) -> std::io::Result<()> {
    let mut ledger = OpenOptions::new().create(true).append(true).open(text(event, "ledger"))?;
    writeln!(ledger, "{line}")
}

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    durable::run(handler).await
}

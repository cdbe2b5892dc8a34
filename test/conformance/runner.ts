/**
 * Runs one requirement against a server and says what differs, as the official runner does (spec 13 §13.1): one Invoke;
 * then, after a synchronous one, the history once; after an asynchronous one, the history every two seconds, with
 * callbacks completed as they show up, until the execution is closed, or no event came for half a minute.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { CallbackSender } from './callback-sender.ts'
import { FUNCTION_OF } from './functions.ts'
import { matchLogs } from './log-check.ts'
import { matchesSoFar, matchHistory, type ObservedEvent, terminalStatus } from './matcher.ts'
import { type Bindings, drawVariables, substitute } from './placeholder.ts'
import type { CallbackAction, Requirement } from './requirement.ts'
import type { ServiceUnderTest } from './service-under-test.ts'

export interface Outcome {
  readonly requirement: Requirement
  /** What differs, in words; empty when the requirement is met. */
  readonly problems: readonly string[]
  readonly seconds: number
  readonly arn?: string
  readonly history?: readonly ObservedEvent[]
}

/** What the runner needs of a service. */
export type Service = Pick<
  ServiceUnderTest,
  'invoke' | 'history' | 'describe' | 'completeCallback' | 'stop' | 'logLines'
>

export interface Pace {
  /** How long a second of a callback's delay lasts. */
  readonly secondMs: number
  /** Between two looks at the history of an asynchronous execution. */
  readonly pollMs: number
  /** Without a new event, before it is given up. */
  readonly patienceMs: number
  readonly logPollMs: number
  readonly logPatienceMs: number
}

/** The official runner's for the history; logs are ours to read. */
export const OFFICIAL_PACE: Pace = {
  secondMs: 1000,
  pollMs: 2000,
  patienceMs: 30_000,
  logPollMs: 200,
  logPatienceMs: 10_000,
}

export async function runRequirement(
  service: Service,
  requirement: Requirement,
  pace: Pace = OFFICIAL_PACE,
): Promise<Outcome> {
  const started = performance.now()
  const bindings = drawVariables(requirement.variables)
  const seen: { arn?: string; history?: readonly ObservedEvent[] } = {}
  const problems: string[] = []
  try {
    // An absent input is an empty object: the payload is always present.
    const payload = JSON.stringify(substitute(requirement.input, bindings) ?? {})
    const arn = await service.invoke(functionName(requirement), requirement.async, payload)
    seen.arn = arn
    const history = requirement.async
      ? await followHistory(service, requirement, arn, { bindings, problems, pace })
      : await service.history(arn)
    seen.history = history
    problems.push(...matchHistory(requirement.history, history, bindings))
    problems.push(...matchStatus(requirement, history))
    problems.push(...(await matchResult(service, requirement, arn, bindings)))
    problems.push(...(await matchLogsOf(service, requirement, arn, history, { bindings, pace })))
    if (terminalStatus(history.at(-1)) === undefined) await service.stop(arn)
  } catch (error) {
    problems.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  }
  return { requirement, problems, seconds: (performance.now() - started) / 1000, ...seen }
}

function functionName(requirement: Requirement): string {
  const declaration = FUNCTION_OF.get(requirement.id)
  if (declaration === undefined) throw new Error(`no handler was written for requirement ${requirement.id}`)
  return declaration.name
}

async function followHistory(
  service: Service,
  requirement: Requirement,
  arn: string,
  { bindings, problems, pace }: { bindings: Bindings; problems: string[]; pace: Pace },
): Promise<readonly ObservedEvent[]> {
  const actions = substitute(requirement.callbackActions, bindings) as CallbackAction[]
  const sender = new CallbackSender(service, actions, pace.secondMs)
  let known = 0
  let lastGrowth = performance.now()
  for (;;) {
    const history = await service.history(arn)
    sender.act(history)
    if (hasEnded(requirement, history, bindings)) {
      problems.push(...(await sender.settle()))
      return history
    }
    if (history.length > known) {
      known = history.length
      lastGrowth = performance.now()
    } else if (performance.now() - lastGrowth > pace.patienceMs) {
      problems.push(`no new event for ${pace.patienceMs / 1000} s`, ...(await sender.settle()))
      return history
    }
    await sleep(pace.pollMs)
  }
}

/** A requirement that expects no status watches an execution that goes on. */
function hasEnded(requirement: Requirement, history: readonly ObservedEvent[], bindings: Bindings): boolean {
  if (terminalStatus(history.at(-1)) !== undefined) return true
  return requirement.expectedStatus === undefined && matchesSoFar(requirement.history, history, bindings)
}

function matchStatus(requirement: Requirement, history: readonly ObservedEvent[]): readonly string[] {
  const status = terminalStatus(history.at(-1))
  if (status === requirement.expectedStatus) return []
  return [`the execution is ${status ?? 'not closed'}, expected ${requirement.expectedStatus ?? 'not closed'}`]
}

async function matchResult(
  service: Service,
  requirement: Requirement,
  arn: string,
  bindings: Bindings,
): Promise<readonly string[]> {
  if (requirement.expectedResult === undefined) return []
  const { Status, Result } = await service.describe(arn)
  const expected = substitute(requirement.expectedResult.value, bindings)
  const found: unknown = Result === undefined ? null : JSON.parse(Result)
  return [
    ...(isDeepStrictEqual(found, expected)
      ? []
      : [`the result is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`]),
    ...(Status === requirement.expectedStatus ? [] : [`GetDurableExecution says ${String(Status)}`]),
  ]
}

/** Reads the logs when those of the last invocation are complete, which the platform's END line tells. */
async function matchLogsOf(
  service: Service,
  requirement: Requirement,
  arn: string,
  history: readonly ObservedEvent[],
  { bindings, pace }: { bindings: Bindings; pace: Pace },
): Promise<readonly string[]> {
  if (requirement.logs.length === 0) return []
  const last = history.findLast((event) => event['EventType'] === 'InvocationCompleted')
  const details = last?.['InvocationCompletedDetails'] as { readonly RequestId?: string } | undefined
  const end = `END RequestId: ${details?.RequestId ?? ''}`
  const deadline = performance.now() + pace.logPatienceMs
  for (;;) {
    const lines = await service.logLines(arn)
    if (lines.some((line) => line.startsWith(end))) return matchLogs(requirement.logs, lines, arn, bindings)
    if (performance.now() > deadline) return [`the logs have no line ${end}`]
    await sleep(pace.logPollMs)
  }
}

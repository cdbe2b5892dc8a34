/**
 * Compares the history of an execution with the events that a requirement lists, by the rules of the official runner
 * (spec 13 §13.1) and two stricter ones of ours that its golden sequences imply (§13.3):
 *
 * - events are found by EventId; only listed keys are compared, and each must be present, whatever its expected value;
 * - `*` and `{}` accept any value; `${NAME}` binds on first use and must be equal afterwards, across the whole
 *   requirement; `${/pattern/}` matches the text of a value;
 * - ours: a skipped EventId is an InvocationCompleted, and nothing but one terminal event follows the last listed one.
 */
import { type Bindings, placeholderName, placeholderPattern, substituteText } from './placeholder.ts'
import type { ExpectedEvent } from './requirement.ts'

export type ObservedEvent = Readonly<Record<string, unknown>>

const TERMINAL = new Set(['ExecutionSucceeded', 'ExecutionFailed', 'ExecutionTimedOut', 'ExecutionStopped'])

/** The status that a terminal event stands for: `ExecutionTimedOut` → `TIMED_OUT`. */
export function terminalStatus(event: ObservedEvent | undefined): string | undefined {
  const type = event?.['EventType']
  if (typeof type !== 'string' || !TERMINAL.has(type)) return undefined
  return type === 'ExecutionTimedOut' ? 'TIMED_OUT' : type.slice('Execution'.length).toUpperCase()
}

/** What differs, in words; empty when the history is as expected. Adds to the bindings. */
export function matchHistory(
  expected: readonly ExpectedEvent[],
  observed: readonly ObservedEvent[],
  bindings: Bindings,
): readonly string[] {
  const events = restoreNames(observed)
  const byId = new Map(events.map((event) => [event['EventId'], event]))
  const problems: string[] = []
  for (const event of expected) {
    const found = byId.get(event.EventId)
    if (found === undefined) problems.push(`event ${event.EventId}: ${event.EventType} is missing`)
    else matchValue(event, found, `event ${event.EventId}`, bindings, problems)
  }
  return [...problems, ...numberingProblems(events), ...unlistedProblems(expected, events)]
}

/** Whether each listed event is there already and as expected; the history may go on. */
export function matchesSoFar(
  expected: readonly ExpectedEvent[],
  observed: readonly ObservedEvent[],
  bindings: Bindings,
): boolean {
  const lastId = expected.at(-1)?.EventId ?? 0
  return observed.length >= lastId && matchHistory(expected, observed.slice(0, lastId), new Map(bindings)).length === 0
}

/** EventIds are 1..n without gaps (spec 11 §11.1). */
function numberingProblems(events: readonly ObservedEvent[]): readonly string[] {
  return events.flatMap((event, index) =>
    event['EventId'] === index + 1 ? [] : [`the event at place ${index + 1} has EventId ${String(event['EventId'])}`],
  )
}

function unlistedProblems(expected: readonly ExpectedEvent[], events: readonly ObservedEvent[]): readonly string[] {
  const listed = new Set(expected.map((event) => event.EventId))
  const lastId = expected.at(-1)?.EventId ?? 0
  const mayEnd = terminalStatus(expected.at(-1)) === undefined
  return events.flatMap((event, index) => {
    const id = index + 1
    const type = String(event['EventType'])
    if (listed.has(id)) return []
    if (id === 1) return type === 'ExecutionStarted' ? [] : [`event 1 is ${type}, not ExecutionStarted`]
    if (id < lastId) return type === 'InvocationCompleted' ? [] : [`event ${id} is ${type}, not InvocationCompleted`]
    if (id === lastId + 1 && mayEnd && TERMINAL.has(type)) return []
    return [`event ${id}: ${type} follows the last expected event`]
  })
}

function matchValue(expected: unknown, found: unknown, path: string, bindings: Bindings, problems: string[]): void {
  if (found === undefined) {
    problems.push(`${path} is absent, expected ${show(expected)}`)
  } else if (typeof expected === 'string') {
    matchText(expected, found, path, bindings, problems)
  } else if (Array.isArray(expected)) {
    matchList(expected, found, path, bindings, problems)
  } else if (typeof expected === 'object' && expected !== null) {
    matchMembers(expected, found, path, bindings, problems)
  } else if (expected !== found) {
    problems.push(`${path} is ${show(found)}, expected ${show(expected)}`)
  }
}

function matchText(expected: string, found: unknown, path: string, bindings: Bindings, problems: string[]): void {
  if (expected === '*') return
  const pattern = placeholderPattern(expected)
  if (pattern !== undefined) {
    if (!pattern.test(String(found))) problems.push(`${path} is ${show(found)}, expected to match ${pattern}`)
    return
  }
  const name = placeholderName(expected)
  if (name !== undefined && !bindings.has(name)) {
    bindings.set(name, found)
    return
  }
  const text = name === undefined ? substituteText(expected, bindings) : bindings.get(name)
  if (found !== text) problems.push(`${path} is ${show(found)}, expected ${show(text)} (${expected})`)
}

function matchList(
  expected: readonly unknown[],
  found: unknown,
  path: string,
  bindings: Bindings,
  problems: string[],
): void {
  if (!Array.isArray(found) || found.length !== expected.length) {
    problems.push(`${path} is ${show(found)}, expected a list of ${expected.length}`)
    return
  }
  for (const [index, member] of expected.entries()) {
    matchValue(member, found[index], `${path}[${index}]`, bindings, problems)
  }
}

function matchMembers(expected: object, found: unknown, path: string, bindings: Bindings, problems: string[]): void {
  const members = Object.entries(expected)
  if (members.length === 0) return
  if (typeof found !== 'object' || found === null) {
    problems.push(`${path} is ${show(found)}, expected ${show(expected)}`)
    return
  }
  for (const [key, member] of members) {
    matchValue(member, (found as Readonly<Record<string, unknown>>)[key], `${path}.${key}`, bindings, problems)
  }
}

/**
 * Newest SDKs leave out the names of what WaitForCallback runs inside; the official runner puts them back from the
 * enclosing context before it compares (spec 11 §11.2).
 */
export function restoreNames(events: readonly ObservedEvent[]): readonly ObservedEvent[] {
  const contextNames = new Map<unknown, unknown>()
  for (const event of events) {
    if (event['SubType'] === 'WaitForCallback' && event['Name'] !== undefined) {
      contextNames.set(event['Id'], event['Name'])
    }
  }
  return events.map((event) => {
    const contextName = contextNames.get(event['ParentId'])
    if (event['Name'] !== undefined || contextName === undefined) return event
    const role = event['SubType'] === 'Callback' ? 'callback' : 'submitter'
    return { ...event, Name: `${String(contextName)}-${role}` }
  })
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

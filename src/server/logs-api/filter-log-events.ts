import { InvalidPattern, type LinePattern, parseFilterPattern } from '../../protocol/logs/filter-pattern.ts'
import { invalidLogParameter } from '../../protocol/logs/log-errors.ts'
import type { LogInput } from '../../protocol/logs/log-operations.ts'
import { type LoggedRecord, logStreamOf } from '../../service/ports.ts'
import type { RouteDeps } from '../route.ts'
import { BEGINNING, END, readEvents, selectionOf } from './log-events.ts'
import { meantGroup } from './log-groups.ts'
import { eventsToken, readEventsToken } from './page-token.ts'

export async function filterLogEvents(input: LogInput<'FilterLogEvents'>, deps: RouteDeps): Promise<object> {
  const { nextToken, startFromHead = true, startTime, limit } = input
  const group = meantGroup(input, deps)
  const from =
    nextToken !== undefined
      ? readEventsToken(nextToken)
      : startFromHead
        ? ({ direction: 'forward', position: BEGINNING } as const)
        : ({ direction: 'backward', position: END } as const)
  const { records, next } = await readEvents(deps.logs, selectionOf(group, startTime, conditionOf(input)), from, limit)
  const { direction } = from
  const inOrder = direction === 'forward' ? records : records.toReversed()
  return {
    events: inOrder.map(shown),
    // Filled no more in the real service either.
    searchedLogStreams: [],
    ...(next === undefined ? {} : { nextToken: eventsToken({ direction, position: next }) }),
  }
}

function conditionOf(input: LogInput<'FilterLogEvents'>): (record: LoggedRecord) => boolean {
  const { logStreamNames, logStreamNamePrefix: prefix, endTime = END, filterPattern = '' } = input
  if (logStreamNames !== undefined && prefix !== undefined) {
    throw invalidLogParameter('logStreamNames and logStreamNamePrefix are mutually exclusive parameters.')
  }
  const names = logStreamNames === undefined ? undefined : new Set(logStreamNames)
  const pattern = readPattern(filterPattern)
  return (record) =>
    record.at <= endTime &&
    (names === undefined || names.has(logStreamOf(record))) &&
    (prefix === undefined || logStreamOf(record).startsWith(prefix)) &&
    pattern(record.line)
}

function readPattern(text: string): LinePattern {
  try {
    return parseFilterPattern(text)
  } catch (error) {
    if (error instanceof InvalidPattern) throw invalidLogParameter(`Invalid filter pattern. ${error.message}.`)
    throw error
  }
}

function shown(record: LoggedRecord): object {
  return {
    logStreamName: logStreamOf(record),
    timestamp: Math.floor(record.at),
    message: record.line,
    ingestionTime: Math.floor(record.at),
    eventId: String(record.position).padStart(56, '0'),
  }
}

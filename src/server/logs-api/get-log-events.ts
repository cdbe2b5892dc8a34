import { LogsApiError } from '../../protocol/logs/log-errors.ts'
import type { LogInput } from '../../protocol/logs/log-operations.ts'
import { type LogGroup, logStreamOf } from '../../service/ports.ts'
import type { RouteDeps } from '../route.ts'
import { BEGINNING, END, readEvents, selectionOf } from './log-events.ts'
import { meantGroup } from './log-groups.ts'
import { type EventsToken, eventsToken, readEventsToken } from './page-token.ts'

/** A token that comes back as it was sent says: nothing more in this direction, for now. */
export async function getLogEvents(input: LogInput<'GetLogEvents'>, deps: RouteDeps): Promise<object> {
  const { logStreamName, nextToken, startFromHead = false, startTime, endTime = END, limit } = input
  const group = meantGroup(input, deps)
  const from: EventsToken =
    nextToken !== undefined
      ? readEventsToken(nextToken)
      : startFromHead
        ? { direction: 'forward', position: BEGINNING }
        : { direction: 'backward', position: END }
  const selection = selectionOf(
    group,
    startTime,
    (record) => record.at < endTime && logStreamOf(record) === logStreamName,
  )
  const { records, next } = await readEvents(deps.logs, selection, from, limit)
  const [first, last] = [records[0], records.at(-1)]
  if (last === undefined && nextToken === undefined) await requireStream(group, logStreamName, deps)
  // Without events a page ends where it began, or where the looking ended.
  const reached = from.direction === 'forward' ? (next ?? from.position) : from.position
  const forward = last?.position ?? (from.position === END ? BEGINNING : reached)
  const backward = first?.position ?? reached
  return {
    events: records.map(({ at, line }) => ({
      timestamp: Math.floor(at),
      message: line,
      ingestionTime: Math.floor(at),
    })),
    nextForwardToken: eventsToken({ direction: 'forward', position: forward }),
    nextBackwardToken: eventsToken({ direction: 'backward', position: backward }),
  }
}

async function requireStream(group: LogGroup, name: string, { logs }: RouteDeps): Promise<void> {
  const streams = await logs.streams(group)
  if (streams.some((stream) => stream.name === name)) return
  throw new LogsApiError('ResourceNotFoundException', 'The specified log stream does not exist.')
}

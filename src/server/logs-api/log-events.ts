/** What FilterLogEvents and GetLogEvents have in common: pages of events of a group, forward and backward. */
import type { LogGroup, LoggedRecord, LogSelection, Logs } from '../../service/ports.ts'
import { given } from '../parse.ts'
import type { EventsToken } from './page-token.ts'

export const MOST_EVENTS = 10_000
/** Of messages in one page, as the real service has it. */
const PAGE_BYTES = 1_048_576
/** Looked at for one page: as much as a function with a full log has half of. Pages may be empty, and go on. */
const EXAMINED_BYTES = 33_554_432

export interface EventsPage {
  /** The oldest first. */
  readonly records: readonly LoggedRecord[]
  /** There may be more in this direction, behind this position. */
  readonly next: number | undefined
}

export function selectionOf(
  group: LogGroup,
  startTime: number | undefined,
  where: LogSelection['where'],
): LogSelection {
  const { name, functionNames } = group
  return { functionNames, group: name, ...given({ sinceMs: startTime, where }) }
}

export async function readEvents(
  logs: Logs,
  selection: LogSelection,
  { direction, position }: EventsToken,
  limit = MOST_EVENTS,
): Promise<EventsPage> {
  if (direction === 'forward') {
    const page = await logs.read(selection, { direction, after: position, limit, maxBytes: EXAMINED_BYTES })
    const records = withinBytes(page.records)
    if (records.length < page.records.length) return { records, next: records.at(-1)?.position }
    return { records, next: page.complete ? undefined : page.position }
  }
  const page = await logs.read(selection, { direction, before: position, limit, maxBytes: 2 * PAGE_BYTES })
  const records = withinBytes(page.records.toReversed()).reverse()
  const isCut = records.length < page.records.length || !page.complete
  return { records, next: isCut ? records[0]?.position : undefined }
}

/** From the first on, as many as fit; one at least. */
function withinBytes(records: readonly LoggedRecord[]): LoggedRecord[] {
  let bytes = 0
  const end = records.findIndex(({ line }, index) => {
    bytes += Buffer.byteLength(line)
    return bytes > PAGE_BYTES && index > 0
  })
  return records.slice(0, end === -1 ? records.length : end)
}

/** Beyond every record, and before every one. */
export const END = Number.MAX_SAFE_INTEGER
export const BEGINNING = 0

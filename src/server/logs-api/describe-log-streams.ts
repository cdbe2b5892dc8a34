import { invalidLogParameter } from '../../protocol/logs/log-errors.ts'
import type { LogInput } from '../../protocol/logs/log-operations.ts'
import type { LogStreamSummary } from '../../service/ports.ts'
import type { RouteDeps } from '../route.ts'
import { groupArn, meantGroup } from './log-groups.ts'
import { pageAfter } from './page-token.ts'

const DEFAULT_ITEMS = 50

export async function describeLogStreams(input: LogInput<'DescribeLogStreams'>, deps: RouteDeps): Promise<object> {
  const { logStreamNamePrefix: prefix = '', orderBy = 'LogStreamName', descending = false } = input
  if (orderBy === 'LastEventTime' && prefix !== '') {
    throw invalidLogParameter('Cannot order by LastEventTime with a logStreamNamePrefix.')
  }
  const group = meantGroup(input, deps)
  const streams = (await deps.logs.streams(group)).filter(({ name }) => name.startsWith(prefix))
  const ordered = orderBy === 'LastEventTime' ? streams.toSorted((a, b) => a.lastAt - b.lastAt) : [...streams]
  if (descending) ordered.reverse()
  const { items, next } = pageAfter(ordered, ({ name }) => name, { limit: DEFAULT_ITEMS, ...input })
  const arnOf = ({ name }: LogStreamSummary): string => `${groupArn(deps.place, group.name)}:log-stream:${name}`
  return {
    logStreams: items.map((stream) => ({
      logStreamName: stream.name,
      creationTime: stream.firstAt,
      firstEventTimestamp: stream.firstAt,
      lastEventTimestamp: stream.lastAt,
      lastIngestionTime: stream.lastAt,
      arn: arnOf(stream),
      // As the real service has it since 2019.
      storedBytes: 0,
    })),
    ...next,
  }
}

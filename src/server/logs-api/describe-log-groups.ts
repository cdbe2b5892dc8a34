import { invalidLogParameter } from '../../protocol/logs/log-errors.ts'
import type { LogInput } from '../../protocol/logs/log-operations.ts'
import type { RouteDeps } from '../route.ts'
import { groupArn, knownGroups, nameIn } from './log-groups.ts'
import { pageAfter } from './page-token.ts'

const DEFAULT_ITEMS = 50

export async function describeLogGroups(input: LogInput<'DescribeLogGroups'>, deps: RouteDeps): Promise<object> {
  const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern, logGroupIdentifiers, logGroupClass } = input
  if (prefix !== undefined && pattern !== undefined) {
    throw invalidLogParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
  }
  const names = logGroupIdentifiers?.map((identifier) => nameIn(identifier, deps.place))
  const groups = [...knownGroups(deps).values()].filter(
    ({ name }) =>
      name.startsWith(prefix ?? '') &&
      name.includes(pattern ?? '') &&
      (names === undefined || names.includes(name)) &&
      (logGroupClass === undefined || logGroupClass === 'STANDARD'),
  )
  const { items, next } = pageAfter(groups, ({ name }) => name, { limit: DEFAULT_ITEMS, ...input })
  return {
    logGroups: items.map(({ name, sinceMs, storedBytes }) => ({
      logGroupName: name,
      creationTime: sinceMs,
      metricFilterCount: 0,
      arn: `${groupArn(deps.place, name)}:*`,
      logGroupArn: groupArn(deps.place, name),
      logGroupClass: 'STANDARD',
      storedBytes,
    })),
    ...next,
  }
}

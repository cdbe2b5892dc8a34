/** Which log groups there are, and which one a request means. */
import type { Place } from '../../protocol/arn.ts'
import { groupNotFound, invalidLogParameter } from '../../protocol/logs/log-errors.ts'
import { defaultLogGroup, type LogGroup } from '../../service/ports.ts'
import type { RouteDeps } from '../route.ts'

/** Those that hold records, and those that functions will write to. In the order of their names. */
export function knownGroups({ functions, logs }: RouteDeps): ReadonlyMap<string, LogGroup> {
  const groups = new Map(logs.groups().map((group) => [group.name, group]))
  for (const { name: functionName, logging } of functions.list()) {
    const name = logging?.group ?? defaultLogGroup(functionName)
    if (!groups.has(name))
      groups.set(name, { name, functionNames: new Set([functionName]), sinceMs: 0, storedBytes: 0 })
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const groupArn = ({ partition, region, account }: Place, name: string): string =>
  `arn:${partition}:logs:${region}:${account}:log-group:${name}`

export function meantGroup(
  input: { readonly logGroupName?: string; readonly logGroupIdentifier?: string },
  deps: RouteDeps,
): LogGroup {
  const { logGroupName, logGroupIdentifier } = input
  if ((logGroupName === undefined) === (logGroupIdentifier === undefined)) {
    throw invalidLogParameter('Exactly one of the parameters logGroupName and logGroupIdentifier must be specified.')
  }
  const name = logGroupName ?? nameIn(logGroupIdentifier ?? '', deps.place)
  const group = knownGroups(deps).get(name ?? '')
  if (group === undefined) throw groupNotFound()
  return group
}

/** A name stands for itself; the ARN of another place is nobody's. */
export function nameIn(identifier: string, place: Place): string | undefined {
  if (!identifier.startsWith('arn:')) return identifier
  const prefix = groupArn(place, '')
  return identifier.startsWith(prefix) ? identifier.slice(prefix.length) : undefined
}

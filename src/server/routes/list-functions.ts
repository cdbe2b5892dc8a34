/** Spec 02 §2.5. By default each function once, as its `$LATEST`; `FunctionVersion=ALL` shows every version. */
import { functionArn } from '../../protocol/arn.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { pageOf, versionPosition } from '../../protocol/pages.ts'
import { listedFunction } from '../function-configuration.ts'
import { parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.ListFunctions

export const listFunctions: Route = {
  name,
  method,
  path,
  async handle(request, { functions, management, place, limits }) {
    const input = parseAround(name, request)
    const all = input.FunctionVersion === 'ALL'
    const arnOf = (of: string, version: string) => functionArn(place, of, all ? version : undefined)
    const declared = functions
      .list()
      .filter((version) => !management.has(version.name))
      .map((version) => ({
        name: version.name,
        version: version.version,
        show: () => listedFunction(version, arnOf(version.name, version.version), limits),
      }))
    const registered = management.listed().map(({ name, version, configuration }) => ({
      name,
      version,
      show: () => configuration(arnOf(name, version)),
    }))
    const shown = [...declared, ...registered].filter(({ version }) => all || version === '$LATEST')
    const { items, next } = pageOf(shown, (each) => `${each.name} ${versionPosition(each.version)}`, input)
    return ok({ Functions: items.map(({ show }) => show()), ...next })
  },
}

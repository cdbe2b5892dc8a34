/** Spec 02 §2.5. Code lies with its owner, not in a store of ours: there is no location to download it from. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { describeFunction } from '../function-configuration.ts'
import { findTarget } from '../function-target.ts'
import { parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.GetFunction

export const getFunction: Route = {
  name,
  method,
  path,
  async handle(request, deps) {
    const input = parseAround(name, request)
    const target = findTarget(input, deps)
    return ok({ Configuration: describeFunction(target.version, target.arn, deps.limits), Code: {} })
  },
}

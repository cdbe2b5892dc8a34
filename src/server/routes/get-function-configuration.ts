/** Spec 02 §2.5. The waiters of SDKs and deployment tools poll it. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { describeFunction } from '../function-configuration.ts'
import { findTarget, readReference } from '../function-target.ts'
import { parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.GetFunctionConfiguration

export const getFunctionConfiguration: Route = {
  name,
  method,
  path,
  async handle(request, deps) {
    const input = parseAround(name, request)
    const reference = readReference(input, deps.place)
    if (deps.management.has(reference.name)) {
      return ok((await deps.management.getFunction(reference)).shown.Configuration)
    }
    const target = findTarget(input, deps)
    return ok(describeFunction(target.version, target.arn, deps.limits))
  },
}

/**
 * Spec 02 §2.5. The code of a function that was created through the API can be downloaded from this server; that of a
 * declared one lies with its owner, and there is no location to download it from.
 */
import { OPERATIONS } from '../../protocol/operations.ts'
import { describeFunction } from '../function-configuration.ts'
import { findTarget, readReference } from '../function-target.ts'
import { parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'
import { codeLocation } from './perdure-code.ts'

const { name, method, path } = OPERATIONS.GetFunction

export const getFunction: Route = {
  name,
  method,
  path,
  async handle(request, deps) {
    const input = parseAround(name, request)
    const reference = readReference(input, deps.place)
    if (!deps.management.has(reference.name)) {
      const target = findTarget(input, deps)
      return ok({ Configuration: describeFunction(target.version, target.arn, deps.limits), Code: {} })
    }
    const answer = await deps.management.getFunction(reference)
    const Location = codeLocation(request.headers.host ?? '', answer.codeSha256)
    return ok({ ...answer.shown, Code: { RepositoryType: 'S3', Location } })
  },
}

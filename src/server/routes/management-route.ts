/**
 * What the routes of all management operations have in common: how large their bodies may be, that the request becomes
 * typed input, and the status of the answer, which the table says.
 */
import { ApiError } from '../../protocol/errors.ts'
import { type InputOf, OPERATIONS, type OperationSpec } from '../../protocol/operations.ts'
import type { ManagementOperation } from '../../service/ports.ts'
import { parse } from '../parse.ts'
import { json } from '../reply.ts'
import type { Route, RouteBody, RouteDeps, RouteRequest } from '../route.ts'

/** Those that bring code: a package of 50 MB in base64, and what is said about it. */
const CODE_REQUEST_BYTES = 70_167_211
const REQUEST_BYTES = 1_048_576
const WITH_CODE: ReadonlySet<ManagementOperation> = new Set([
  'CreateFunction',
  'UpdateFunctionCode',
  'PublishLayerVersion',
])

/** `answer` resolves with the body of the answer; undefined: there is none. */
export function managementRoute<Name extends ManagementOperation>(
  name: Name,
  answer: (input: InputOf<Name>, request: RouteRequest, deps: RouteDeps) => Promise<object | undefined>,
): Route {
  const { method, path, input, status }: OperationSpec = OPERATIONS[name]
  const hasBody = Object.values(input).some((member) => member.in === 'body')
  return {
    name,
    method,
    path,
    ...(hasBody ? { body: bodyOf(name) } : undefined),
    async handle(request, deps) {
      const answered = await answer(parse(name, request), request, deps)
      return answered === undefined ? { status } : json(status, answered)
    },
  }
}

function bodyOf(name: ManagementOperation): RouteBody {
  const bytes = WITH_CODE.has(name) ? CODE_REQUEST_BYTES : REQUEST_BYTES
  return {
    // What is exactly as large is not smaller.
    maxBytes: () => bytes - 1,
    tooLarge: () =>
      new ApiError(
        'RequestEntityTooLargeException',
        `Request must be smaller than ${bytes} bytes for the ${name} operation`,
      ),
  }
}

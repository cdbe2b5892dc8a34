/** How large the bodies of the management operations may be. */
import { ApiError } from '../../protocol/errors.ts'
import type { ManagementOperation } from '../../service/ports.ts'
import type { RouteBody } from '../route.ts'

/** Those that bring code: a package of 50 MB in base64, and what is said about it. */
const CODE_REQUEST_BYTES = 70_167_211
const REQUEST_BYTES = 1_048_576
const WITH_CODE: ReadonlySet<ManagementOperation> = new Set([
  'CreateFunction',
  'UpdateFunctionCode',
  'PublishLayerVersion',
])

export function managementBody(name: ManagementOperation): RouteBody {
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

/** `GET /perdure/code/{Sha256}`: a package as it was uploaded; the location that GetFunction and GetLayerVersion tell. */
import { ApiError } from '../../protocol/errors.ts'
import type { Route } from '../route.ts'

export const perdureCode: Route = {
  name: 'perdure.Code',
  method: 'GET',
  path: '/perdure/code/{Sha256}',
  async handle({ labels: [name = ''] }, { management }) {
    const body = await management.packageOf(Buffer.from(name, 'base64url').toString('base64'))
    if (body === undefined)
      throw new ApiError('ResourceNotFoundException', 'No version of a function or a layer has this code.')
    return { status: 200, body, contentType: 'application/zip' }
  },
}

/** Where the package lies, for whoever reached this server by the name `host`. */
export const codeLocation = (host: string, sha256: string): string =>
  `http://${host}/perdure/code/${Buffer.from(sha256, 'base64').toString('base64url')}`

/** `GET /perdure/v1/version`. */
import { readFileSync } from 'node:fs'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const perdureVersion: Route = {
  name: 'perdure.Version',
  method: 'GET',
  path: '/perdure/v1/version',
  async handle(_request, { place }) {
    return ok({ name: 'perdure', version: PERDURE_VERSION, node: process.version, place })
  },
}

/** The manifest lies two folders above this room, in the sources and in the published package alike. */
const PERDURE_VERSION = readVersion(new URL('../../../package.json', import.meta.url))

function readVersion(manifest: URL): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  return version
}

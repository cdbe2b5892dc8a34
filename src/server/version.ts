/** The version of this server, from its manifest. */
import { readFileSync } from 'node:fs'

/** The manifest lies one folder above the rooms, in the sources and in the published package alike. */
export const PERDURE_VERSION = readVersion(new URL('../../package.json', import.meta.url))

function readVersion(manifest: URL): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  return version
}

/** Spec 02 §2.5. By default each function once, as its `$LATEST`; `FunctionVersion=ALL` shows every version. */
import { functionArn } from '../../protocol/arn.ts'
import { invalidParameter, TEXT } from '../../protocol/errors.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import type { FunctionVersion } from '../../service/ports.ts'
import { listedFunction } from '../function-configuration.ts'
import { given, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.ListFunctions
/** Pages hold at most so many, whatever MaxItems says (spec 02 §2.5). */
const PAGE = 50

export const listFunctions: Route = {
  name,
  method,
  path,
  async handle(request, { functions, place, limits }) {
    const input = parseAround(name, request)
    const all = input.FunctionVersion === 'ALL'
    const after = input.Marker === undefined || input.Marker === '' ? '' : readMarker(input.Marker)
    const rest = functions
      .list()
      .filter((version) => (all || version.version === '$LATEST') && position(version) > after)
      .sort((a, b) => (position(a) < position(b) ? -1 : 1))
    const page = rest.slice(0, Math.min(input.MaxItems ?? PAGE, PAGE))
    const last = page.at(-1)
    return ok({
      Functions: page.map((version) =>
        listedFunction(version, all ? version.arn : functionArn(place, version.name), limits),
      ),
      ...given({ NextMarker: last !== undefined && page.length < rest.length ? writeMarker(last) : undefined }),
    })
  },
}

/** Orders functions by name, and versions as numbers after `$LATEST`. A position stays valid while functions come and go. */
function position({ name, version }: FunctionVersion): string {
  return `${name} ${version === '$LATEST' ? '' : version.padStart(16)}`
}

const writeMarker = (version: FunctionVersion): string => Buffer.from(position(version)).toString('base64url')

function readMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString()
  if (!/^[a-zA-Z0-9-_]+ +\d*$/.test(text)) throw invalidParameter(TEXT.invalidMarker)
  return text
}

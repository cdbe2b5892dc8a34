/**
 * A request that another HTTP parser on its way might have read differently is refused: what one of them takes for the
 * end of a request, or for its host, must not be another's beginning. Node's parser refuses what it finds malformed;
 * this is the rest (RFC 9112 §2.3, §3.2, §6.1).
 */
import type { IncomingMessage } from 'node:http'
import { ApiError } from '../protocol/errors.ts'

export const NO_HTTP_TEXT = 'The request is not valid HTTP/1.1.'

/** Why a request of several readings was refused; what follows it on its connection is nobody's. */
export class SeveralReadings extends ApiError {
  constructor() {
    super('SerializationException', NO_HTTP_TEXT, { headers: { connection: 'close' } })
  }
}

export function requireOneReading(request: IncomingMessage): void {
  // A request line without a version is one of HTTP/0.9 to the parser.
  const oneReading = request.httpVersionMajor === 1 && countHosts(request.rawHeaders) === 1 && isPlainlyCoded(request)
  if (!oneReading) throw new SeveralReadings()
}

/** The parser takes any list of codings that ends in `chunked`, and leaves the others to whoever knows them: nobody here. */
function isPlainlyCoded({ headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  return coding === undefined || coding.toLowerCase() === 'chunked'
}

/** `headers` keeps the first of several hosts; the raw list has names and values in turn. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts
}

/** Reading a request's body: whole, capped, or not at all. */
import type { IncomingMessage } from 'node:http'
import type { ApiError } from '../protocol/errors.ts'

/** Why a request that its client gave up gets no answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export interface BodyRule {
  readonly maxBytes: number
  readonly tooLarge: () => ApiError
}

const NOTHING = Buffer.alloc(0)

/** The bytes that will have to be held: as declared, or the cap when the client does not say. */
export function announcedBytes(request: IncomingMessage, rule: BodyRule): number {
  const declared = request.headers['content-length']
  if (declared !== undefined) return Number(declared)
  return request.headers['transfer-encoding'] === undefined ? 0 : rule.maxBytes
}

/**
 * Rejects with the rule's error as soon as the body is known to be too large; what still comes is discarded by the
 * HTTP server. Rejects with `ClientGone` when the connection ends before the body does.
 */
export function readBody(request: IncomingMessage, rule: BodyRule): Promise<Buffer> {
  if (request.destroyed) return Promise.reject(new ClientGone())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const settle = () => {
      request.off('data', take).off('end', finish).off('close', abandon).off('error', abandon)
    }
    const take = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= rule.maxBytes) return
      settle()
      // Flowing on without a listener: the rest is thrown away as it arrives.
      request.on('error', ignoreLateError).resume()
      reject(rule.tooLarge())
    }
    const finish = () => {
      settle()
      const [first] = chunks
      resolve(first === undefined ? NOTHING : chunks.length === 1 ? first : Buffer.concat(chunks, length))
    }
    const abandon = () => {
      settle()
      request.on('error', ignoreLateError)
      reject(new ClientGone())
    }
    request.on('data', take).on('end', finish).on('close', abandon).on('error', abandon)
  })
}

/** The request has been answered or given up; a connection that then breaks is no news. */
function ignoreLateError(): void {}

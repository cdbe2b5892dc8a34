/** A server that answers as told, and tells what it was asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface StandIn {
  readonly endpoint: string
  readonly asked: readonly Asked[]
  /** Connections that were opened. */
  connections(): number
}

export type Answer = (response: ServerResponse, asked: Asked, count: number) => void

export async function standIn(context: TestContext, answer: Answer): Promise<StandIn> {
  const asked: Asked[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
    asked.push(one)
    answer(response, one, asked.length)
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { endpoint, asked, connections: () => connections }
}

export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  body: object = { message: code },
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'x-amzn-errortype': code, 'x-amzn-requestid': 'request-1', ...headers })
  response.end(JSON.stringify(body))
}

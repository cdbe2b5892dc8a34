/**
 * The server under measurement, in a process of its own: the real store, service and HTTP server, and a function
 * that never answers. With the argument `echo` a bare node:http server instead. Talks to the benchmark over IPC.
 */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { assemble } from '../src/assembly.ts'
import { openInvocations } from './open-invocations.ts'

export type FromServer =
  | { kind: 'listening'; port: number }
  | { kind: 'begun'; arn: string; token: string }
  | { kind: 'usage'; user: number; system: number; rssBytes: number }

const tell = (message: FromServer): void => {
  process.send?.(message)
}

process.on('message', (message) => {
  if (message === 'usage') tell({ kind: 'usage', ...process.cpuUsage(), rssBytes: process.memoryUsage.rss() })
})
process.on('disconnect', () => process.exit(0))

function echo(): void {
  const answer = Buffer.from(JSON.stringify({ CheckpointToken: 'x'.repeat(82), NewExecutionState: { Operations: [] } }))
  const server = http.createServer((request, response) => {
    request.on('data', () => {})
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
      response.end(answer)
    })
  })
  // Connections are idle while the other rounds run.
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
}

async function perdure(data: string): Promise<void> {
  const server = await assemble({
    port: 0,
    data,
    functions: async () =>
      Object.assign(
        openInvocations(({ DurableExecutionArn: arn, CheckpointToken: token }) => tell({ kind: 'begun', arn, token })),
        { close: async () => {} },
      ),
  })
  tell({ kind: 'listening', port: Number(new URL(server.endpoint).port) })
}

const [mode = '', data = ''] = process.argv.slice(2)
if (mode === 'echo') echo()
else await perdure(data)

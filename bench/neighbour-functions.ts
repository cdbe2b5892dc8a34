/** An honest function, busy ones, and the poisonous ones that it lives beside. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'

/** About a millisecond of work. */
export const honest = async (): Promise<string> => {
  let digest = ''
  for (let i = 0; i < 400; i++) digest = createHash('sha256').update(digest.repeat(16)).digest('hex')
  return digest
}

/** Keeps a processor busy for a fifth of a second. */
export const busy = async (): Promise<void> => {
  const until = performance.now() + 200
  while (performance.now() < until) createHash('sha256').update('busy').digest('hex')
}

export const silent = async (): Promise<void> => {
  await new Promise(() => setInterval(() => {}, 1_000))
}

export const greedy = async (): Promise<void> => {
  const kept: Buffer[] = []
  for (;;) {
    kept.push(Buffer.alloc(1_048_576, 1))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const crashing = async (): Promise<never> => process.exit(1)

/** More than any answer may be; by hand, for the runtime would refuse to send it. */
export const verbose = async (_: unknown, context: { readonly awsRequestId: string }): Promise<void> => {
  const megabyte = Buffer.alloc(1_048_576, 0x20)
  const path = `/2018-06-01/runtime/invocation/${context.awsRequestId}/response`
  const post = request(`http://${process.env['AWS_LAMBDA_RUNTIME_API']}${path}`, { method: 'POST' })
  for (let sent = 0; sent < 100; sent++) if (!post.write(megabyte)) await once(post, 'drain')
  post.end()
  const [answer] = await once(post, 'response')
  answer.resume()
}

/** Ever more children, each of which wants a whole processor. */
export const forking = async (): Promise<void> => {
  spawn('/bin/sh', ['-c', 'while :; do (while :; do :; done) & done'])
  await new Promise(() => setInterval(() => {}, 1_000))
}

/** As fast as it is read. */
export const flooding = async (): Promise<void> => {
  const lines = `${'flood '.repeat(170)}\n`.repeat(64)
  for (;;) if (!process.stdout.write(lines)) await once(process.stdout, 'drain')
}

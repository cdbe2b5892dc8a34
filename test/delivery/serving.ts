/** A real server on disk with functions that were created through its API by the official client. */
import type { TestContext } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import type { PerdureOptions } from '../../src/index.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { ServerUnderFire } from '../kill/server-under-fire.ts'
import { zipOf } from '../management/zip-of.ts'

export interface Served {
  readonly server: ServerUnderFire
  readonly client: lambda.LambdaClient
  /** A folder for what functions write. */
  readonly folder: string
  /** A handler as the source of an ES module; what it writes goes to `process.env.FOLDER`. */
  create(name: string, source: string, more?: Partial<lambda.CreateFunctionCommandInput>): Promise<void>
  /** Asynchronously; resolves when it was accepted. */
  invoke(name: string, payload: unknown, more?: Partial<lambda.InvokeCommandInput>): Promise<lambda.InvokeCommandOutput>
  configure(name: string, config: Partial<lambda.PutFunctionEventInvokeConfigCommandInput>): Promise<void>
  /** Moves the manual clock. */
  advance(ms: number): Promise<void>
}

export async function serve(t: TestContext, options: Partial<PerdureOptions> = {}): Promise<Served> {
  const data = temporaryDirectory(t)
  const folder = temporaryDirectory(t)
  const server = await ServerUnderFire.start({ data, functions: [], log: { level: 'error' }, ...options })
  t.after(() => server.kill())
  const { endpoint } = server
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new lambda.LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  return {
    server,
    client,
    folder,
    async create(FunctionName, source, more = {}) {
      const ZipFile = zipOf({ name: 'index.mjs', content: source })
      const Environment = { Variables: { FOLDER: folder } }
      const created = new lambda.CreateFunctionCommand({
        FunctionName,
        Role: 'arn:aws:iam::000000000000:role/any',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { ZipFile },
        Environment,
        ...more,
      })
      await client.send(created)
    },
    invoke(FunctionName, payload, more = {}) {
      const Payload = JSON.stringify(payload)
      return client.send(new lambda.InvokeCommand({ FunctionName, InvocationType: 'Event', Payload, ...more }))
    },
    async configure(FunctionName, config) {
      await client.send(new lambda.PutFunctionEventInvokeConfigCommand({ FunctionName, ...config }))
    },
    async advance(ms) {
      const response = await fetch(`${endpoint}/perdure/v1/clock/advance`, {
        method: 'POST',
        body: JSON.stringify({ ms }),
      })
      if (!response.ok) throw new Error(await response.text())
    },
  }
}

/**
 * A server in this process, on a manual clock, whose functions are the test's: `orders` has published versions and an
 * alias, which declared functions do not have, and `tool` is a plain one. Unless the test says otherwise every
 * invocation answers at once with its version as the result.
 */
import assert from 'node:assert/strict'
import { type Assembled, assemble, type HostedFunctions } from '../../src/assembly.ts'
import { DEFAULT_PLACE, functionArn } from '../../src/protocol/arn.ts'
import type { FunctionVersion, InvocationRequest, InvocationResult, Slot } from '../../src/service/ports.ts'
import { NO_LOGS } from '../no-logs.ts'
import { type WireAnswer, WireClient } from './wire.ts'

export const response = (body: string | Uint8Array): InvocationResult => ({
  kind: 'response',
  body: Buffer.from(body as string),
  logTail: '',
})

function functionVersion(name: string, version: string, durable: FunctionVersion['durable']): FunctionVersion {
  const arn = functionArn(DEFAULT_PLACE, name, version)
  return { name, version, arn, timeoutSeconds: 60, memoryMb: 512, concurrency: 4, durable, perTenant: false }
}

class VersionedFunctions implements HostedFunctions {
  readonly logs = NO_LOGS
  /** What the alias `prod` of every function means. */
  alias = '1'
  run = async ({ version }: FunctionVersion, _request: InvocationRequest): Promise<InvocationResult> =>
    response(JSON.stringify({ Status: 'SUCCEEDED', Result: JSON.stringify(version) }))

  resolve(name: string, qualifier = '$LATEST'): FunctionVersion | undefined {
    const version = qualifier === 'prod' ? this.alias : qualifier
    return this.list().find((other) => other.name === name && other.version === version)
  }

  list(): readonly FunctionVersion[] {
    const durable = { ExecutionTimeout: 900 }
    const orders = ['$LATEST', '1', '2'].map((version) => functionVersion('orders', version, durable))
    return [...orders, functionVersion('tool', '$LATEST', undefined)]
  }

  async reserve(version: FunctionVersion): Promise<Slot> {
    return { run: (request) => this.run(version, request), release: () => {} }
  }

  onChange(): void {}

  async close(): Promise<void> {}
}

export class VersionedServer implements AsyncDisposable {
  readonly functions: VersionedFunctions
  readonly #assembled: Assembled
  readonly #wire: WireClient

  private constructor(functions: VersionedFunctions, assembled: Assembled) {
    this.functions = functions
    this.#assembled = assembled
    this.#wire = new WireClient(assembled.endpoint)
  }

  static async open(): Promise<VersionedServer> {
    const functions = new VersionedFunctions()
    const assembled = await assemble({
      port: 0,
      data: { kind: 'memory' },
      clock: 'manual',
      functions: async () => functions,
    })
    return new VersionedServer(functions, assembled)
  }

  get(path: string): Promise<WireAnswer> {
    return this.#wire.send({ method: 'GET', path })
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    return this.#wire.send({ method: 'POST', path, headers, body: JSON.stringify(body) })
  }

  invoke(qualifier: string, name: string, type: 'Event' | 'RequestResponse' = 'RequestResponse'): Promise<WireAnswer> {
    const headers = { 'x-amz-invocation-type': type, 'x-amz-durable-execution-name': name }
    const path = `/2015-03-31/functions/orders/invocations?Qualifier=${encodeURIComponent(qualifier)}`
    return this.#wire.send({ method: 'POST', path, headers, body: '{}' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wire.close()
    await this.#assembled.close(0)
  }
}

/** The version that an answer says was executed, asserting that its ARN and result say the same. */
export function executedVersion(answer: WireAnswer): string {
  assert.equal(answer.status, 200, answer.text)
  const version = String(answer.headers['x-amz-executed-version'])
  assert.equal(answer.text, JSON.stringify(version))
  assert.ok(String(answer.headers['x-amz-durable-execution-arn']).includes(`:function:orders:${version}/`))
  return version
}

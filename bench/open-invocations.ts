/**
 * A stand-in for the functions room, in the server's own process. `open` never answers: every execution keeps an open
 * invocation, and the benchmark, which gets its event, checkpoints in its place. `quick` succeeds at once.
 */
import type { DurableInvocationEvent } from '../src/protocol/shapes.ts'
import type { Functions, FunctionVersion, Logs } from '../src/service/ports.ts'
import { NO_LOGS } from '../test/no-logs.ts'

export function benchFunction(name: 'open' | 'quick'): FunctionVersion {
  return {
    name,
    version: '$LATEST',
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}:$LATEST`,
    timeoutSeconds: 900,
    memoryMb: 128,
    concurrency: 10_000,
    durable: { ExecutionTimeout: 31_622_400 },
    perTenant: false,
  }
}

const QUICK_ANSWER = Buffer.from(JSON.stringify({ Status: 'SUCCEEDED', Result: '"quick"' }))

export function openInvocations(begun: (event: DurableInvocationEvent) => void): Functions & { logs: Logs } {
  const functions = [benchFunction('open'), benchFunction('quick')]
  return {
    resolve: (name) => functions.find((version) => version.name === name),
    list: () => functions,
    onChange: () => {},
    reserve: async ({ name }) => ({
      run(request) {
        if (name === 'quick') return Promise.resolve({ kind: 'response', body: QUICK_ANSWER, logTail: '' })
        begun(JSON.parse(request.event))
        return new Promise(() => {})
      },
      release() {},
    }),
    logs: NO_LOGS,
  }
}

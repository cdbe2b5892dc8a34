/**
 * A stand-in for the functions room whose one function never answers: every execution keeps an open invocation, and
 * the benchmark, which gets its event, checkpoints in its place.
 */
import type { DurableInvocationEvent } from '../src/protocol/shapes.ts'
import type { Functions, FunctionVersion, Logs } from '../src/service/ports.ts'

export const BENCH_FUNCTION: FunctionVersion = {
  name: 'open',
  version: '$LATEST',
  arn: 'arn:aws:lambda:us-east-1:000000000000:function:open:$LATEST',
  timeoutSeconds: 900,
  memoryMb: 128,
  concurrency: 10_000,
  durable: { ExecutionTimeout: 86_400 },
  perTenant: false,
}

export function openInvocations(begun: (event: DurableInvocationEvent) => void): Functions & { logs: Logs } {
  return {
    resolve: (name) => (name === BENCH_FUNCTION.name ? BENCH_FUNCTION : undefined),
    list: () => [BENCH_FUNCTION],
    onChange: () => {},
    reserve: async () => ({
      run(request) {
        begun(JSON.parse(request.event))
        return new Promise(() => {})
      },
      release() {},
    }),
    logs: { query: async () => [] },
  }
}

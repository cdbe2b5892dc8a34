/**
 * Which invocation the code that runs right now belongs to: what it prints, an error that nobody caught, a call of
 * `process.exit`.
 *
 * A process that serves one invocation at a time needs no more than a variable. One that serves several follows each
 * through its asynchronous calls, and labels what is printed: standard output and error go over descriptor 4, in frames
 *
 *     1 <request id or -> <bytes>\n<bytes of standard output>
 *     2 <request id or -> <bytes>\n<bytes of standard error>
 *     x <request id>\n              the process ends because of this invocation
 *
 * What a native module or a child process writes does not come through here: the server knows it for the process's.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { writeSync } from 'node:fs'
import type { Invocation } from './runtime-client.ts'

export interface CurrentInvocation {
  /** Runs the call, and whatever it starts, as part of the invocation. */
  run(invocation: Invocation, call: () => Promise<void>): Promise<void>
  requestId(): string | undefined
  tenantId(): string | undefined
}

export function oneAtATime(): CurrentInvocation {
  let running: Invocation | undefined
  return {
    run: async (invocation, call) => {
      running = invocation
      setTraceId(invocation.traceId)
      await call()
      running = undefined
    },
    requestId: () => running?.requestId,
    tenantId: () => running?.tenantId,
  }
}

const labelledLine = 4

type Store = Record<string | symbol, unknown> & { readonly [key: symbol]: unknown }

export function severalAtATime(): CurrentInvocation {
  const stores = new AsyncLocalStorage<Store>()
  const requestId = (): string | undefined => stores.getStore()?.[keys.requestId] as string | undefined
  label(process.stdout, 1, requestId)
  label(process.stderr, 2, requestId)
  process.on('exit', () => {
    const culprit = requestId()
    if (culprit !== undefined) send(`x ${culprit}\n`)
  })
  offerInvokeStore(stores)
  return {
    run: (invocation, call) =>
      stores.run(
        {
          [keys.requestId]: invocation.requestId,
          [keys.traceId]: invocation.traceId,
          [keys.tenantId]: invocation.tenantId,
        },
        call,
      ),
    requestId,
    tenantId: () => stores.getStore()?.[keys.tenantId] as string | undefined,
  }
}

function label(stream: NodeJS.WriteStream, number: 1 | 2, requestId: () => string | undefined): void {
  const write = (
    chunk: string | Uint8Array,
    encodingOrDone?: BufferEncoding | ((error?: Error | null) => void),
    lastDone?: (error?: Error | null) => void,
  ): boolean => {
    const [encoding, done] =
      typeof encodingOrDone === 'function' ? ['utf8', encodingOrDone] : [encodingOrDone, lastDone]
    const bytes = Buffer.from(chunk as string, encoding as BufferEncoding)
    send(Buffer.concat([Buffer.from(`${number} ${requestId() ?? '-'} ${bytes.byteLength}\n`), bytes]))
    if (done !== undefined) process.nextTick(done)
    return true
  }
  stream.write = write
}

/** The descriptor blocks, as standard output does when it is a pipe: what was printed is out when this returns. */
function send(frame: string | Uint8Array): void {
  const bytes = Buffer.from(frame as string)
  for (let sent = 0; sent < bytes.byteLength; ) sent += writeSync(labelledLine, bytes, sent)
}

/** The keys under which libraries ask for what is the invocation's (`@aws/lambda-invoke-store`). */
const keys = {
  requestId: Symbol.for('_AWS_LAMBDA_REQUEST_ID'),
  traceId: Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID'),
  tenantId: Symbol.for('_AWS_LAMBDA_TENANT_ID'),
}

/** Clients and tracing libraries keep what belongs to one invocation in `awslambda.InvokeStore` of the runtime. */
function offerInvokeStore(stores: AsyncLocalStorage<Store>): void {
  const get = (key: string | symbol): unknown => stores.getStore()?.[key]
  const invokeStore = {
    PROTECTED_KEYS: { REQUEST_ID: keys.requestId, X_RAY_TRACE_ID: keys.traceId, TENANT_ID: keys.tenantId },
    getContext: () => stores.getStore(),
    hasContext: () => stores.getStore() !== undefined,
    get,
    set: (key: string | symbol, value: unknown): void => {
      if (Object.values(keys).includes(key as symbol)) {
        throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`)
      }
      const store = stores.getStore()
      if (store === undefined) throw new Error('No context available')
      store[key] = value
    },
    run: <T>(store: Store, call: () => T): T => stores.run(store, call),
    getRequestId: () => get(keys.requestId) ?? '-',
    getXRayTraceId: () => get(keys.traceId),
    getTenantId: () => get(keys.tenantId),
    getTraceparent: () => undefined,
    getTracestate: () => undefined,
    getBaggage: () => undefined,
  }
  Object.assign(globalThis, { awslambda: { InvokeStore: invokeStore } })
}

function setTraceId(traceId: string | undefined): void {
  if (traceId === undefined) delete process.env['_X_AMZN_TRACE_ID']
  else process.env['_X_AMZN_TRACE_ID'] = traceId
}

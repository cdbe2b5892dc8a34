/**
 * Spec 02 §2.1 and 07. One route, four ways to answer: a dry run, a plain function now or later, a durable execution
 * that the caller does or does not wait for.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, invalidParameter, TEXT } from '../../protocol/errors.ts'
import { jsonSyntaxError } from '../../protocol/json-syntax.ts'
import type { Limits } from '../../protocol/limits.ts'
import { type InputOf, OPERATIONS } from '../../protocol/operations.ts'
import type { DurableConfig } from '../../protocol/shapes.ts'
import { wireFunctionError } from '../../protocol/wire.ts'
import type { AwaitedEnd, Started } from '../../service/api.ts'
import type { FunctionVersion, InvocationResult, Slot } from '../../service/ports.ts'
import { type FunctionTarget, findTarget } from '../function-target.ts'
import { given, parseAround, sdkInvocationId } from '../parse.ts'
import type { Reply } from '../reply.ts'
import type { Route, RouteDeps, RouteRequest } from '../route.ts'

const { name, method, path } = OPERATIONS.Invoke

type InvokeInput = InputOf<'Invoke'>
type DurableVersion = FunctionVersion & { readonly durable: DurableConfig }

export const invoke: Route = {
  name,
  method,
  path,
  admission: 'shed',
  body: {
    maxBytes: payloadLimit,
    tooLarge: (limit, headers) => {
      const size = headers['content-length'] === undefined ? 'The' : `${headers['content-length']} byte`
      const text = `${size} payload is too large for the ${invocationType(headers)} invocation type (limit ${limit} bytes)`
      return new ApiError('RequestTooLargeException', text)
    },
  },
  async handle(request, deps) {
    const input = parseAround(name, request)
    deps.waits.requireOpen()
    const target = findTarget(input, deps)
    authorise(input, target, deps)
    if (input.InvocationType === 'DryRun') return { status: 204 }
    requireConcurrency(input, target.version)
    const payload = readPayload(request.body)
    const { version } = target
    if (isDurable(version)) return invokeDurable({ version, drawn: isDrawn(target) }, payload, input, request, deps)
    if (input.InvocationType === 'Event') return enqueuePlain(target, payload, input, request, deps)
    return runPlain(version, payload, input, request, deps)
  },
}

const invocationType = (headers: IncomingHttpHeaders): string =>
  headers['x-amz-invocation-type'] === 'Event' ? 'Event' : 'RequestResponse'

function payloadLimit(limits: Limits, headers: IncomingHttpHeaders): number {
  return invocationType(headers) === 'Event' ? limits.asyncPayloadBytes : limits.syncPayloadBytes
}

const isDurable = (version: FunctionVersion): version is DurableVersion => version.durable !== undefined

/** An alias stands for whatever version it names at the moment; a repeated named start must not depend on it (decision 5). */
const isDrawn = ({ version, qualifier }: FunctionTarget): boolean =>
  qualifier !== undefined && qualifier !== version.version

// ---------------------------------------------------------------------------------------- what may be invoked how

function authorise(input: InvokeInput, { version, qualifier }: FunctionTarget, deps: RouteDeps): void {
  authoriseTenant(input.TenantId, version)
  if (isDurable(version)) {
    if (qualifier === undefined && !deps.allowUnqualified) throw invalidParameter(TEXT.unqualified)
    const synchronous = input.InvocationType === undefined || input.InvocationType === 'RequestResponse'
    if (synchronous && version.durable.ExecutionTimeout > deps.limits.syncExecutionTimeoutSeconds) {
      throw invalidParameter(
        'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
      )
    }
  } else if (input.DurableExecutionName !== undefined) {
    throw invalidParameter('A durable execution name can only be given to a durable function.')
  }
}

/** Nothing runs of a function for which no concurrency is reserved: a caller who waits is refused, others' work is kept. */
function requireConcurrency({ InvocationType }: InvokeInput, { concurrency }: FunctionVersion): void {
  if (concurrency > 0 || InvocationType === 'Event') return
  const extra = { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' }
  throw new ApiError('TooManyRequestsException', 'Rate Exceeded.', { extra })
}

function authoriseTenant(tenantId: string | undefined, version: FunctionVersion): void {
  if (version.perTenant && tenantId === undefined) {
    throw invalidParameter('The invoked function isolates its tenants: a tenant id is required.')
  }
  if (!version.perTenant && tenantId !== undefined) {
    throw invalidParameter('The invoked function does not isolate tenants: no tenant id can be given.')
  }
}

/** Kept as it came; only whether it is JSON is looked at. An empty payload is `{}` (spec 12.3). */
function readPayload(body: Buffer): string {
  if (body.length === 0) return '{}'
  const offset = isUtf8(body) ? jsonSyntaxError(body) : 0
  if (offset < 0) return body.toString()
  const what = isUtf8(body) ? `unexpected content at byte ${offset}` : 'it is not valid UTF-8'
  throw new ApiError('InvalidRequestContentException', `Could not parse request body into json: ${what}`)
}

// ------------------------------------------------------------------------------------------------ durable functions

async function invokeDurable(
  target: { readonly version: DurableVersion; readonly drawn: boolean },
  payload: string,
  input: InvokeInput,
  request: RouteRequest,
  { service, waits }: RouteDeps,
): Promise<Reply> {
  const synchronous = input.InvocationType !== 'Event'
  const started = await service.start({
    target: target.version,
    name: input.DurableExecutionName,
    input: payload,
    mode: synchronous ? 'sync' : 'async',
    ...given({
      versionDrawn: target.drawn ? (true as const) : undefined,
      tenantId: input.TenantId,
      traceHeader: traceHeader(request.headers),
      sdkInvocationId: sdkInvocationId(request.headers),
    }),
  })
  if (!synchronous) return { status: 202, headers: { 'x-amz-durable-execution-arn': started.arn } }
  request.release()
  const options = { withLog: input.LogType === 'Tail' }
  const wait = (signal: AbortSignal): Promise<AwaitedEnd> => service.waitForEnd(started.executionId, signal, options)
  const end = await waits.during(request.gone.signal, wait)
  return endReply(started, end)
}

/** Spec 07 §7.4. */
function endReply(started: Started, end: AwaitedEnd): Reply {
  const headers = {
    'x-amz-executed-version': started.version,
    'x-amz-durable-execution-arn': started.arn,
    ...(end.logTail === undefined ? undefined : { 'x-amz-log-result': logResult(end.logTail) }),
  }
  if (end.status === 'SUCCEEDED') return { status: 200, headers, body: end.result ?? 'null' }
  return {
    status: 200,
    headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
    body: JSON.stringify(wireFunctionError(end.error)),
  }
}

// -------------------------------------------------------------------------------------------------- plain functions

async function enqueuePlain(
  { version, qualifier }: FunctionTarget,
  payload: string,
  input: InvokeInput,
  request: RouteRequest,
  { service }: RouteDeps,
): Promise<Reply> {
  const { requestId } = await service.enqueuePlain({
    target: version,
    qualifier,
    payload,
    ...given({ tenantId: input.TenantId, traceHeader: traceHeader(request.headers) }),
  })
  return { status: 202, requestId }
}

async function runPlain(
  target: FunctionVersion,
  payload: string,
  input: InvokeInput,
  request: RouteRequest,
  { functions, queues, waits }: RouteDeps,
): Promise<Reply> {
  const clientContext = readClientContext(input.ClientContext)
  request.release()
  const result = await waits.during(request.gone.signal, async (signal) => {
    const slot = await reserveInTurn(target, input.TenantId, request, { functions, queues }, signal)
    if (signal.aborted) {
      slot.release()
      throw signal.reason
    }
    return slot.run({
      requestId: request.requestId,
      event: payload,
      ...given({ clientContext, tenantId: input.TenantId, traceHeader: traceHeader(request.headers) }),
    })
  })
  return resultReply(target, result, input.LogType === 'Tail')
}

/** From here on the payload counts against its function's queue, not against the server's room for new work. */
async function reserveInTurn(
  target: FunctionVersion,
  tenantId: string | undefined,
  { body }: RouteRequest,
  { functions, queues }: Pick<RouteDeps, 'functions' | 'queues'>,
  signal: AbortSignal,
): Promise<Slot> {
  const queued = queues.enter(target.name, body.length)
  try {
    return await functions.reserve(target, tenantId, signal)
  } finally {
    queued.release()
  }
}

function resultReply(target: FunctionVersion, result: InvocationResult, withLog: boolean): Reply {
  if (result.kind === 'platform') {
    throw new ApiError('ServiceException', result.error.ErrorMessage ?? 'The function could not be run.')
  }
  const headers = {
    'x-amz-executed-version': target.version,
    ...(result.kind === 'error' ? { 'x-amz-function-error': 'Unhandled' } : undefined),
    ...(withLog ? { 'x-amz-log-result': logResult(result.logTail) } : undefined),
  }
  return { status: 200, headers, body: result.body }
}

/** The last 4 KB of the log as base64 (spec 02 §2.1). */
const logResult = (tail: string): string => Buffer.from(tail).subarray(-4096).toString('base64')

/** Base64 of a JSON object (spec 02 §2.1), decoded for the function. */
function readClientContext(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64 === '') return undefined
  const bytes = Buffer.from(base64, 'base64')
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64) && isUtf8(bytes) && bytes[0] === 0x7b && jsonSyntaxError(bytes) < 0) {
    return bytes.toString()
  }
  throw new ApiError('InvalidRequestContentException', 'Client context must be a valid Base64-encoded JSON object.')
}

/** Spec 03 §3.7: up to 8,192 characters; a longer one is no trace header. */
function traceHeader(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-amzn-trace-id']
  return typeof value === 'string' && value.length <= 8192 ? value : undefined
}

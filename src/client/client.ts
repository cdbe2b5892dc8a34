/**
 * The client of the API for programs: each operation of `operations.ts`, checked before it is sent, over kept-alive connections, without
 * the AWS SDK. Members are spelt in lower camel case and times are epoch milliseconds, in requests and answers alike.
 *
 * One call is one logical request, however often it is sent: its attempts carry the same `amz-sdk-invocation-id` and,
 * for checkpoints, the same client token, by which a server knows them as one (decision 19 of its design). Only a plain
 * function may see a repeated Invoke twice. Failures are those of `errors.ts`.
 */
import { randomUUID } from 'node:crypto'
import type { LogLevel } from '../protocol/logs/log-line.ts'
import { type Attempts, attempt } from './attempts.ts'
import { decode, MalformedAnswer } from './codec.ts'
import { ForeignServerError, RefusedError } from './errors.ts'
import { type HttpAnswer, type HttpCall, HttpTransport } from './http-transport.ts'
import type { ClientOperation } from './operations.ts'
import { firstHeader, jsonOf, success } from './refusal.ts'
import {
  AddLayerVersionPermissionRequest,
  AddPermissionRequest,
  type ApiRequest,
  CheckpointDurableExecutionRequest,
  CreateAliasRequest,
  CreateFunctionRequest,
  DeleteAliasRequest,
  DeleteDurableExecutionRequest,
  DeleteFunctionConcurrencyRequest,
  DeleteFunctionEventInvokeConfigRequest,
  DeleteFunctionRequest,
  DeleteLayerVersionRequest,
  DeleteProvisionedConcurrencyConfigRequest,
  GetAccountSettingsRequest,
  GetAliasRequest,
  GetDurableExecutionHistoryRequest,
  GetDurableExecutionRequest,
  GetDurableExecutionStateRequest,
  GetFunctionCodeSigningConfigRequest,
  GetFunctionConcurrencyRequest,
  GetFunctionConfigurationRequest,
  GetFunctionEventInvokeConfigRequest,
  GetFunctionRecursionConfigRequest,
  GetFunctionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionPolicyRequest,
  GetLayerVersionRequest,
  GetPolicyRequest,
  GetProvisionedConcurrencyConfigRequest,
  GetRuntimeManagementConfigRequest,
  InvokeRequest,
  ListAliasesRequest,
  ListDurableExecutionsByFunctionRequest,
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionsRequest,
  ListLayersRequest,
  ListLayerVersionsRequest,
  ListTagsRequest,
  ListVersionsByFunctionRequest,
  type MembersOf,
  PublishLayerVersionRequest,
  PublishVersionRequest,
  PutFunctionConcurrencyRequest,
  PutFunctionEventInvokeConfigRequest,
  PutFunctionRecursionConfigRequest,
  PutProvisionedConcurrencyConfigRequest,
  PutRuntimeManagementConfigRequest,
  RemoveLayerVersionPermissionRequest,
  RemovePermissionRequest,
  SendDurableExecutionCallbackFailureRequest,
  SendDurableExecutionCallbackHeartbeatRequest,
  SendDurableExecutionCallbackSuccessRequest,
  StopDurableExecutionRequest,
  TagResourceRequest,
  UntagResourceRequest,
  UpdateAliasRequest,
  UpdateFunctionCodeRequest,
  UpdateFunctionConfigurationRequest,
  UpdateFunctionEventInvokeConfigRequest,
} from './requests.ts'
import {
  type AliasConfiguration,
  type FunctionConfiguration,
  type HistoryEvent,
  type InvokeResponse,
  type LayerVersion,
  type ListedExecution,
  RESPONSES,
  type ResponseOf,
} from './responses.ts'
import { type RetryPolicy, retryPolicy } from './retry.ts'

export interface ClientOptions {
  /** Unset members keep their defaults: 3 attempts, 100 ms to begin with. */
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Of one attempt, from its start to the last byte of the answer. Default 30 s; synchronous invocations have none. */
  readonly timeoutMs?: number | undefined
  /** Connections at a time. Default: no bound. */
  readonly maxConnections?: number | undefined
}

export interface CallOptions {
  /** Ends the call with `signal.reason`, while it is on its way and between attempts. */
  readonly signal?: AbortSignal | undefined
  /** In place of the client's; 0 for none. */
  readonly timeoutMs?: number | undefined
}

/** One line that a function printed, or that the platform says about one of its invocations. */
export interface LoggedLine {
  readonly at: number
  readonly functionName: string
  readonly version: string
  readonly requestId?: string
  readonly executionArn?: string
  readonly stream: 'stdout' | 'stderr' | 'platform'
  readonly line: string
  /** Where it stands in the server's log: larger than that of every line before it. */
  readonly position: number
  /** What the line tells of its level; absent when it tells none. */
  readonly level?: LogLevel
  /** The members of a line that is a JSON object. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** The log group, unless it is `/aws/lambda/<functionName>`. */
  readonly group?: string
  readonly logStream?: string
}

export interface LogsQuery {
  readonly functionName?: string | undefined
  readonly executionArn?: string | undefined
  /** With `executionArn`: the lines of the executions that it started too. */
  readonly children?: boolean | undefined
  readonly requestId?: string | undefined
  /** Lines of this level or a higher one; what tells no level is INFO. */
  readonly level?: LogLevel | undefined
  /** Lines that contain the text. */
  readonly grep?: string | undefined
  /** Lines that match a filter pattern of CloudWatch Logs. */
  readonly filter?: string | undefined
  /** Epoch milliseconds, exclusive. */
  readonly afterMs?: number | undefined
  readonly limit?: number | undefined
  /** The oldest lines beyond it, instead of the newest. */
  readonly position?: number | undefined
}

export interface LogsPage {
  /** The oldest first. */
  readonly records: readonly LoggedLine[]
  /** Where to go on. */
  readonly position: number
  /** There is no more for now. */
  readonly complete: boolean
}

/** A worker that runs a function's processes elsewhere. */
export interface AttachedWorker {
  readonly functionName: string
  /** `$LATEST` or digits. */
  readonly version: string
  /** What it calls itself. */
  readonly name: string
  /** Where its connection comes from. */
  readonly address: string
  /** Epoch milliseconds. */
  readonly attachedAt: number
  readonly processes: number
  /** Invocations that its processes have. */
  readonly running: number
  /** It takes no new invocations. */
  readonly leaving: boolean
}

const DEFAULT_TIMEOUT_MS = 30_000
/** Of a `MaxItems` this large the server fills a page whenever it can. */
const LARGEST_PAGE = 1000
const USER_AGENT = 'perdure-client'

export class PerdureClient {
  readonly #attempts: Attempts
  readonly #timeoutMs: number

  /** `endpoint` is an absolute http or https URL; anything else is a `TypeError`. */
  constructor(endpoint: string, { retry, timeoutMs, maxConnections }: ClientOptions = {}) {
    const transport = new HttpTransport(endpoint, { ...(maxConnections !== undefined && { maxConnections }) })
    this.#attempts = { transport, policy: retryPolicy(retry) }
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS
  }

  get endpoint(): string {
    return this.#attempts.transport.endpoint
  }

  /** Closes its connections. Calls that are on their way fail. */
  close(): void {
    this.#attempts.transport.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  // ------------------------------------------------------------------------------------------------------ operations

  async invoke(members: MembersOf<'Invoke'>, options?: CallOptions): Promise<InvokeResponse> {
    return await this.send(new InvokeRequest(members), options)
  }

  async checkpointDurableExecution(members: MembersOf<'CheckpointDurableExecution'>, options?: CallOptions) {
    return await this.send(new CheckpointDurableExecutionRequest(members), options)
  }

  async getDurableExecutionState(members: MembersOf<'GetDurableExecutionState'>, options?: CallOptions) {
    return await this.send(new GetDurableExecutionStateRequest(members), options)
  }

  async getDurableExecutionHistory(members: MembersOf<'GetDurableExecutionHistory'>, options?: CallOptions) {
    return await this.send(new GetDurableExecutionHistoryRequest(members), options)
  }

  async getDurableExecution(members: MembersOf<'GetDurableExecution'>, options?: CallOptions) {
    return await this.send(new GetDurableExecutionRequest(members), options)
  }

  async listDurableExecutionsByFunction(members: MembersOf<'ListDurableExecutionsByFunction'>, options?: CallOptions) {
    return await this.send(new ListDurableExecutionsByFunctionRequest(members), options)
  }

  async stopDurableExecution(members: MembersOf<'StopDurableExecution'>, options?: CallOptions) {
    return await this.send(new StopDurableExecutionRequest(members), options)
  }

  async deleteDurableExecution(members: MembersOf<'DeleteDurableExecution'>, options?: CallOptions) {
    return await this.send(new DeleteDurableExecutionRequest(members), options)
  }

  /** `result` is stored byte for byte; none leaves the callback without a result. */
  async sendDurableExecutionCallbackSuccess(
    members: MembersOf<'SendDurableExecutionCallbackSuccess'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new SendDurableExecutionCallbackSuccessRequest(members), options)
  }

  async sendDurableExecutionCallbackFailure(
    members: MembersOf<'SendDurableExecutionCallbackFailure'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new SendDurableExecutionCallbackFailureRequest(members), options)
  }

  async sendDurableExecutionCallbackHeartbeat(
    members: MembersOf<'SendDurableExecutionCallbackHeartbeat'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new SendDurableExecutionCallbackHeartbeatRequest(members), options)
  }

  async getFunction(members: MembersOf<'GetFunction'>, options?: CallOptions) {
    return await this.send(new GetFunctionRequest(members), options)
  }

  async getFunctionConfiguration(members: MembersOf<'GetFunctionConfiguration'>, options?: CallOptions) {
    return await this.send(new GetFunctionConfigurationRequest(members), options)
  }

  async listFunctions(members: MembersOf<'ListFunctions'> = {}, options?: CallOptions) {
    return await this.send(new ListFunctionsRequest(members), options)
  }

  // ---------------------------------------------------------------------------------------- management of functions

  async createFunction(members: MembersOf<'CreateFunction'>, options?: CallOptions) {
    return await this.send(new CreateFunctionRequest(members), options)
  }

  async updateFunctionCode(members: MembersOf<'UpdateFunctionCode'>, options?: CallOptions) {
    return await this.send(new UpdateFunctionCodeRequest(members), options)
  }

  async updateFunctionConfiguration(members: MembersOf<'UpdateFunctionConfiguration'>, options?: CallOptions) {
    return await this.send(new UpdateFunctionConfigurationRequest(members), options)
  }

  async deleteFunction(members: MembersOf<'DeleteFunction'>, options?: CallOptions): Promise<void> {
    await this.send(new DeleteFunctionRequest(members), options)
  }

  async publishVersion(members: MembersOf<'PublishVersion'>, options?: CallOptions) {
    return await this.send(new PublishVersionRequest(members), options)
  }

  async listVersionsByFunction(members: MembersOf<'ListVersionsByFunction'>, options?: CallOptions) {
    return await this.send(new ListVersionsByFunctionRequest(members), options)
  }

  async createAlias(members: MembersOf<'CreateAlias'>, options?: CallOptions) {
    return await this.send(new CreateAliasRequest(members), options)
  }

  async getAlias(members: MembersOf<'GetAlias'>, options?: CallOptions) {
    return await this.send(new GetAliasRequest(members), options)
  }

  async updateAlias(members: MembersOf<'UpdateAlias'>, options?: CallOptions) {
    return await this.send(new UpdateAliasRequest(members), options)
  }

  async deleteAlias(members: MembersOf<'DeleteAlias'>, options?: CallOptions): Promise<void> {
    await this.send(new DeleteAliasRequest(members), options)
  }

  async listAliases(members: MembersOf<'ListAliases'>, options?: CallOptions) {
    return await this.send(new ListAliasesRequest(members), options)
  }

  async putFunctionConcurrency(members: MembersOf<'PutFunctionConcurrency'>, options?: CallOptions) {
    return await this.send(new PutFunctionConcurrencyRequest(members), options)
  }

  async getFunctionConcurrency(members: MembersOf<'GetFunctionConcurrency'>, options?: CallOptions) {
    return await this.send(new GetFunctionConcurrencyRequest(members), options)
  }

  async deleteFunctionConcurrency(
    members: MembersOf<'DeleteFunctionConcurrency'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new DeleteFunctionConcurrencyRequest(members), options)
  }

  async putFunctionEventInvokeConfig(members: MembersOf<'PutFunctionEventInvokeConfig'>, options?: CallOptions) {
    return await this.send(new PutFunctionEventInvokeConfigRequest(members), options)
  }

  async updateFunctionEventInvokeConfig(members: MembersOf<'UpdateFunctionEventInvokeConfig'>, options?: CallOptions) {
    return await this.send(new UpdateFunctionEventInvokeConfigRequest(members), options)
  }

  async getFunctionEventInvokeConfig(members: MembersOf<'GetFunctionEventInvokeConfig'>, options?: CallOptions) {
    return await this.send(new GetFunctionEventInvokeConfigRequest(members), options)
  }

  async deleteFunctionEventInvokeConfig(
    members: MembersOf<'DeleteFunctionEventInvokeConfig'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new DeleteFunctionEventInvokeConfigRequest(members), options)
  }

  async listFunctionEventInvokeConfigs(members: MembersOf<'ListFunctionEventInvokeConfigs'>, options?: CallOptions) {
    return await this.send(new ListFunctionEventInvokeConfigsRequest(members), options)
  }

  async tagResource(members: MembersOf<'TagResource'>, options?: CallOptions): Promise<void> {
    await this.send(new TagResourceRequest(members), options)
  }

  async untagResource(members: MembersOf<'UntagResource'>, options?: CallOptions): Promise<void> {
    await this.send(new UntagResourceRequest(members), options)
  }

  async listTags(members: MembersOf<'ListTags'>, options?: CallOptions) {
    return await this.send(new ListTagsRequest(members), options)
  }

  async getAccountSettings(members: MembersOf<'GetAccountSettings'> = {}, options?: CallOptions) {
    return await this.send(new GetAccountSettingsRequest(members), options)
  }

  async addPermission(members: MembersOf<'AddPermission'>, options?: CallOptions) {
    return await this.send(new AddPermissionRequest(members), options)
  }

  async removePermission(members: MembersOf<'RemovePermission'>, options?: CallOptions): Promise<void> {
    await this.send(new RemovePermissionRequest(members), options)
  }

  async getPolicy(members: MembersOf<'GetPolicy'>, options?: CallOptions) {
    return await this.send(new GetPolicyRequest(members), options)
  }

  async putProvisionedConcurrencyConfig(members: MembersOf<'PutProvisionedConcurrencyConfig'>, options?: CallOptions) {
    return await this.send(new PutProvisionedConcurrencyConfigRequest(members), options)
  }

  async getProvisionedConcurrencyConfig(members: MembersOf<'GetProvisionedConcurrencyConfig'>, options?: CallOptions) {
    return await this.send(new GetProvisionedConcurrencyConfigRequest(members), options)
  }

  async deleteProvisionedConcurrencyConfig(
    members: MembersOf<'DeleteProvisionedConcurrencyConfig'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new DeleteProvisionedConcurrencyConfigRequest(members), options)
  }

  async getRuntimeManagementConfig(members: MembersOf<'GetRuntimeManagementConfig'>, options?: CallOptions) {
    return await this.send(new GetRuntimeManagementConfigRequest(members), options)
  }

  async putRuntimeManagementConfig(members: MembersOf<'PutRuntimeManagementConfig'>, options?: CallOptions) {
    return await this.send(new PutRuntimeManagementConfigRequest(members), options)
  }

  async getFunctionRecursionConfig(members: MembersOf<'GetFunctionRecursionConfig'>, options?: CallOptions) {
    return await this.send(new GetFunctionRecursionConfigRequest(members), options)
  }

  async putFunctionRecursionConfig(members: MembersOf<'PutFunctionRecursionConfig'>, options?: CallOptions) {
    return await this.send(new PutFunctionRecursionConfigRequest(members), options)
  }

  async getFunctionCodeSigningConfig(members: MembersOf<'GetFunctionCodeSigningConfig'>, options?: CallOptions) {
    return await this.send(new GetFunctionCodeSigningConfigRequest(members), options)
  }

  async publishLayerVersion(members: MembersOf<'PublishLayerVersion'>, options?: CallOptions) {
    return await this.send(new PublishLayerVersionRequest(members), options)
  }

  async getLayerVersion(members: MembersOf<'GetLayerVersion'>, options?: CallOptions) {
    return await this.send(new GetLayerVersionRequest(members), options)
  }

  async getLayerVersionByArn(members: MembersOf<'GetLayerVersionByArn'>, options?: CallOptions) {
    return await this.send(new GetLayerVersionByArnRequest(members), options)
  }

  async listLayers(members: MembersOf<'ListLayers'> = {}, options?: CallOptions) {
    return await this.send(new ListLayersRequest(members), options)
  }

  async listLayerVersions(members: MembersOf<'ListLayerVersions'>, options?: CallOptions) {
    return await this.send(new ListLayerVersionsRequest(members), options)
  }

  async deleteLayerVersion(members: MembersOf<'DeleteLayerVersion'>, options?: CallOptions): Promise<void> {
    await this.send(new DeleteLayerVersionRequest(members), options)
  }

  async addLayerVersionPermission(members: MembersOf<'AddLayerVersionPermission'>, options?: CallOptions) {
    return await this.send(new AddLayerVersionPermissionRequest(members), options)
  }

  async removeLayerVersionPermission(
    members: MembersOf<'RemoveLayerVersionPermission'>,
    options?: CallOptions,
  ): Promise<void> {
    await this.send(new RemoveLayerVersionPermissionRequest(members), options)
  }

  async getLayerVersionPolicy(members: MembersOf<'GetLayerVersionPolicy'>, options?: CallOptions) {
    return await this.send(new GetLayerVersionPolicyRequest(members), options)
  }

  // ------------------------------------------------------------------------------------------------------- all pages

  /** Every event from the marker on, page after page. */
  async *events(
    members: Omit<MembersOf<'GetDurableExecutionHistory'>, 'maxItems'>,
    options?: CallOptions,
  ): AsyncGenerator<HistoryEvent, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.getDurableExecutionHistory({ ...members, marker, maxItems: LARGEST_PAGE }, options)
      yield* page.events
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  /** Every execution of a function that matches, page after page. `maxItems` is the size of a page. */
  async *executions(
    members: MembersOf<'ListDurableExecutionsByFunction'>,
    options?: CallOptions,
  ): AsyncGenerator<ListedExecution, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.listDurableExecutionsByFunction({ ...members, marker }, options)
      yield* page.durableExecutions
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  /** Every function, page after page. */
  async *functions(
    members: MembersOf<'ListFunctions'> = {},
    options?: CallOptions,
  ): AsyncGenerator<FunctionConfiguration, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.listFunctions({ ...members, marker }, options)
      yield* page.functions
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  /** `$LATEST` and every published version of a function, page after page. */
  async *versions(
    members: MembersOf<'ListVersionsByFunction'>,
    options?: CallOptions,
  ): AsyncGenerator<FunctionConfiguration, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.listVersionsByFunction({ ...members, marker }, options)
      yield* page.versions
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  /** Every alias of a function, page after page. */
  async *aliases(
    members: MembersOf<'ListAliases'>,
    options?: CallOptions,
  ): AsyncGenerator<AliasConfiguration, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.listAliases({ ...members, marker }, options)
      yield* page.aliases
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  /** Every version of a layer, the newest first, page after page. */
  async *layerVersions(
    members: MembersOf<'ListLayerVersions'>,
    options?: CallOptions,
  ): AsyncGenerator<LayerVersion, void, undefined> {
    let marker = members.marker
    do {
      const page = await this.listLayerVersions({ ...members, marker }, options)
      yield* page.layerVersions
      marker = page.nextMarker || undefined
    } while (marker !== undefined)
  }

  // ----------------------------------------------------------------------------------- beyond the compatible API

  /** The newest lines that match, oldest first; with a `position`, the oldest beyond it. */
  async logs(query: LogsQuery, options?: CallOptions): Promise<readonly LoggedLine[]> {
    return (await this.logPage(query, options)).records
  }

  /** The same, with where to go on. */
  async logPage(query: LogsQuery, options?: CallOptions): Promise<LogsPage> {
    const parameters = new URLSearchParams()
    const add = (name: string, value: string | number | undefined) => {
      if (value !== undefined) parameters.set(name, String(value))
    }
    add('function', query.functionName)
    add('execution', query.executionArn)
    add('children', query.children === true ? 'true' : undefined)
    add('request', query.requestId)
    add('level', query.level)
    add('grep', query.grep)
    add('filter', query.filter)
    add('after', query.afterMs)
    add('limit', query.limit)
    add('position', query.position)
    return (await this.#own('/perdure/v1/logs', parameters, options)) as LogsPage
  }

  /** The workers that are attached, to one function or to all. */
  async workers(
    query: { readonly functionName?: string | undefined } = {},
    options?: CallOptions,
  ): Promise<readonly AttachedWorker[]> {
    const parameters = new URLSearchParams(query.functionName === undefined ? {} : { function: query.functionName })
    const answer = await this.#own('/perdure/v1/workers', parameters, options)
    return (answer as { readonly workers: readonly AttachedWorker[] }).workers
  }

  /** The server's version and the region and account that it stands for. */
  async version(options?: CallOptions): Promise<ServerVersion> {
    return (await this.#own('/perdure/v1/version', undefined, options)) as ServerVersion
  }

  /** The time of a server whose clock moves only when told to; undefined for one with a clock that goes by itself. */
  async manualClock(options?: CallOptions): Promise<number | undefined> {
    const call = this.#call({ method: 'GET', path: '/perdure/v1/clock' }, options, this.#timeoutMs)
    try {
      const answer = await attempt(this.#attempts, call, (each) => jsonOf(this.endpoint, success(this.endpoint, each)))
      return (answer as { readonly now: number }).now
    } catch (error) {
      if (error instanceof RefusedError && error.consequence === 'terminal') return undefined
      throw error
    }
  }

  /** `ready` once the server accepts commands; otherwise what it does instead. One attempt, without retries. */
  async readiness(options?: CallOptions): Promise<string> {
    const call = this.#call({ method: 'GET', path: '/readyz' }, options, this.#timeoutMs)
    const answer = await this.#attempts.transport.send(call)
    const { status } = jsonOf(this.endpoint, answer) as { readonly status?: unknown }
    if (typeof status !== 'string') throw new ForeignServerError(this.endpoint, 'its readiness has no status')
    return status
  }

  /** The server's figures in the text format of Prometheus. */
  async metrics(options?: CallOptions): Promise<string> {
    const call = this.#call({ method: 'GET', path: '/metrics' }, options, this.#timeoutMs)
    return await attempt(this.#attempts, call, (answer) => success(this.endpoint, answer).body.toString())
  }

  async #own(
    path: string,
    parameters: URLSearchParams | undefined,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    // In a query a plus sign is a plus sign; those of the parameters' own texts are escaped.
    const text = parameters?.toString().replaceAll('+', '%20') ?? ''
    const query = text === '' ? '' : `?${text}`
    const call = this.#call({ method: 'GET', path: path + query }, options, this.#timeoutMs)
    return await attempt(this.#attempts, call, (answer) => jsonOf(this.endpoint, success(this.endpoint, answer)))
  }

  // ----------------------------------------------------------------------------------------------------- one request

  /** Sends a request of any of its operations, with the retries that it is allowed. */
  async send<Name extends ClientOperation>(
    request: ApiRequest<Name>,
    options: CallOptions = {},
  ): Promise<ResponseOf<Name>> {
    const waits = request.operation === 'Invoke' && (request.members as MembersOf<'Invoke'>).invocationType !== 'Event'
    const call = this.#call(repeatable(request).toWire(), options, waits ? 0 : this.#timeoutMs)
    return await attempt(this.#attempts, call, (answer) =>
      this.#read(request.operation, success(this.endpoint, answer)),
    )
  }

  #call(call: HttpCall, options: CallOptions | undefined, defaultTimeoutMs: number): HttpCall {
    const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs
    return {
      ...call,
      headers: { 'user-agent': USER_AGENT, ...call.headers },
      ...(options?.signal !== undefined && { signal: options.signal }),
      ...(timeoutMs > 0 && { timeoutMs }),
    }
  }

  #read<Name extends ClientOperation>(operation: Name, answer: HttpAnswer): ResponseOf<Name> {
    if (operation === 'Invoke') return invokeResponse(answer) as ResponseOf<Name>
    try {
      const table = RESPONSES[operation as keyof typeof RESPONSES]
      // Of a 204 there is nothing to read.
      return decode(table, answer.status === 204 ? {} : jsonOf(this.endpoint, answer)) as ResponseOf<Name>
    } catch (error) {
      if (!(error instanceof MalformedAnswer)) throw error
      throw new ForeignServerError(this.endpoint, `${operation}: ${error.message}`, { cause: error })
    }
  }
}

export interface ServerVersion {
  readonly name: string
  readonly version: string
  readonly node: string
  readonly place: { readonly partition: string; readonly region: string; readonly account: string }
}

/** A checkpoint without a client token could not be sent twice: its token is consumed by the first (spec 05 §5.4). */
function repeatable(request: ApiRequest): ApiRequest {
  if (!(request instanceof CheckpointDurableExecutionRequest) || request.members.clientToken) return request
  return new CheckpointDurableExecutionRequest({ ...request.members, clientToken: randomUUID() })
}

function invokeResponse({ status, headers, body }: HttpAnswer): InvokeResponse {
  const executedVersion = firstHeader(headers['x-amz-executed-version'])
  const durableExecutionArn = firstHeader(headers['x-amz-durable-execution-arn'])
  const functionError = firstHeader(headers['x-amz-function-error'])
  const log = firstHeader(headers['x-amz-log-result'])
  return {
    statusCode: status,
    ...(executedVersion !== undefined && { executedVersion }),
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
    ...(functionError !== undefined && { functionError }),
    ...(log !== undefined && { logTail: Buffer.from(log, 'base64').toString() }),
    payload: body.toString(),
  }
}

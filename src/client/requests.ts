/**
 * Requests: each is made from its members, checked against the constraints that the server checks (the same table,
 * the same texts), and then knows its wire value. A request that exists is one that the server's validation accepts.
 */
import type { Constraint } from '../protocol/constraints.ts'
import { ApiError } from '../protocol/errors.ts'
import { type InputMember, type InputOf, type Method, OPERATIONS, type OperationSpec } from '../protocol/operations.ts'
import { parseJsonBody, readInput, readJson } from '../protocol/validate.ts'
import { ENDING, memberPath, Violations } from '../protocol/violations.ts'
import { encode, refuseUnknown, UnknownMember } from './codec.ts'
import { InvalidRequestError } from './errors.ts'
import { type Given, memberName, type Spelt } from './member-names.ts'
import type { ClientOperation } from './operations.ts'

/** A request as HTTP carries it. */
export interface WireRequest {
  readonly method: Method
  /** With its query string, percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** The member that stands for a body that is bytes of the caller's, where an operation has one. */
const BODY_MEMBERS = { Invoke: 'payload', SendDurableExecutionCallbackSuccess: 'result' } as const
type BodyMembers = typeof BODY_MEMBERS
const bodyMember = (name: ClientOperation): string | undefined => BODY_MEMBERS[name as keyof BodyMembers]

type BodyOf<Name extends ClientOperation> = Name extends keyof BodyMembers
  ? { readonly [Member in BodyMembers[Name]]?: string | Uint8Array | undefined }
  : unknown

/** What a request of an operation is made from. */
export type MembersOf<Name extends ClientOperation> = Given<Spelt<InputOf<Name>>> & BodyOf<Name>

export abstract class ApiRequest<Name extends ClientOperation = ClientOperation> {
  readonly operation: Name
  readonly members: MembersOf<Name>

  /** Throws `InvalidRequestError`. */
  constructor(operation: Name, members: MembersOf<Name>) {
    check(operation, members)
    this.operation = operation
    this.members = members
  }

  toWire(): WireRequest {
    return encodeRequest(this.operation, this.members)
  }
}

type Fields = { readonly [member: string]: unknown }

function check(name: ClientOperation, members: unknown): void {
  if (typeof members !== 'object' || members === null) throw new InvalidRequestError(name, 'its members are missing')
  try {
    checkMembers(name, members as Fields)
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof UnknownMember)) throw error
    throw new InvalidRequestError(name, error.message)
  }
}

function checkMembers(name: ClientOperation, members: Fields): void {
  const { input }: OperationSpec = OPERATIONS[name]
  const body = bodyMember(name)
  refuseUnknown([...Object.keys(input).map(memberName), ...(body === undefined ? [] : [body])], members)
  const violations = new Violations()
  for (const [member, { constraint, required }] of Object.entries(input)) {
    const path = memberPath('', member)
    const value = readJson(constraint, encode(constraint, members[memberName(member)]), path, violations)
    if (value === undefined && required === true) violations.add(path, null, ENDING.notNull)
  }
  violations.throwIfAny()
  const bytes = body === undefined ? undefined : members[body]
  if (bytes === undefined || bytes === null || typeof bytes === 'string' || bytes instanceof Uint8Array) return
  throw new ApiError('SerializationException', `The member '${body}' must be a string or bytes.`)
}

function encodeRequest(name: ClientOperation, given: object): WireRequest {
  const { method, path, input }: OperationSpec = OPERATIONS[name]
  const members = given as Fields
  const query: string[] = []
  const headers: Record<string, string> = {}
  const json: Record<string, unknown> = {}
  const labels: Record<string, string> = {}
  let hasJson = false
  for (const [member, place] of Object.entries(input)) {
    if (place.in === 'body' || place.in === 'payload') hasJson = true
    const value = encode(place.constraint, members[memberName(member)])
    if (value === undefined) continue
    const wireName = place.wireName ?? member
    switch (place.in) {
      case 'path':
        labels[member] = encodeURIComponent(String(value))
        break
      case 'query':
        for (const text of textsOf(place, value)) query.push(`${wireName}=${encodeURIComponent(text)}`)
        break
      case 'header':
        headers[wireName] = String(value)
        break
      case 'body':
        json[wireName] = value
        break
      case 'payload':
        Object.assign(json, value)
    }
  }
  const raw = bodyMember(name)
  const bytes = raw === undefined ? undefined : (members[raw] as string | Uint8Array | undefined)
  if (hasJson) headers['content-type'] = 'application/json'
  else if (raw !== undefined) headers['content-type'] = 'application/octet-stream'
  const body = hasJson ? JSON.stringify(json) : bytes
  const target = path.replaceAll(/\{(\w+)\+?\}/g, (_template, name: string) => labels[name] ?? '')
  // Some paths have a query of their own.
  const joint = target.includes('?') ? '&' : '?'
  return {
    method,
    path: query.length === 0 ? target : `${target}${joint}${query.join('&')}`,
    headers,
    ...(body !== undefined && { body }),
  }
}

function textsOf(place: InputMember, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  if (place.constraint.kind === 'timestamp') return [new Date(Math.round(Number(value) * 1000)).toISOString()]
  return [String(value)]
}

/** The members that a wire value was made from, read as a server reads them. */
function decodeRequest<Name extends ClientOperation>(name: Name, wire: WireRequest): MembersOf<Name> {
  const spec: OperationSpec = OPERATIONS[name]
  const [path = '', query = ''] = wire.path.split('?')
  const raw = bodyMember(name)
  const text = typeof wire.body === 'string' ? wire.body : Buffer.from(wire.body ?? []).toString()
  const input = readInput(name, {
    labels: labelsOf(spec.path, path),
    query: parameters(query),
    headers: wire.headers,
    body: raw === undefined ? parseJsonBody(text) : undefined,
  })
  const members = Object.fromEntries(
    Object.entries(input).map(([member, value]) => [memberName(member), spelt(spec.input[member]?.constraint, value)]),
  )
  return { ...members, ...(raw !== undefined && wire.body !== undefined && { [raw]: wire.body }) } as MembersOf<Name>
}

/** This client writes every label as one segment, whatever the template permits. */
function labelsOf(template: string, path: string): readonly string[] {
  const segments = path.split('/')
  return template
    .split('/')
    .flatMap((segment, index) => (segment.startsWith('{') ? decodeURIComponent(segments[index] ?? '') : []))
}

function parameters(query: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = pair.split('=').map(decodeURIComponent)
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return values
}

/** The same value with its members spelt for JavaScript. The keys of a map are data and stay. */
function spelt(constraint: Constraint | undefined, value: unknown): unknown {
  if (constraint?.kind === 'list') return (value as readonly unknown[]).map((each) => spelt(constraint.of, each))
  if (constraint?.kind !== 'structure') return value
  return Object.fromEntries(
    Object.entries(value as Fields).map(([name, member]) => [
      memberName(name),
      spelt(constraint.members[name]?.constraint, member),
    ]),
  )
}

// ----------------------------------------------------------------------------------------- a class for each operation

function requestOf<const Name extends ClientOperation>(operation: Name) {
  return class extends ApiRequest<Name> {
    static readonly operation = operation

    /** The request that a wire value is of. Throws what a server would answer. */
    static fromWire(wire: WireRequest) {
      return new this(decodeRequest(operation, wire))
    }

    constructor(members: MembersOf<Name>) {
      super(operation, members)
    }
  }
}

export class CheckpointDurableExecutionRequest extends requestOf('CheckpointDurableExecution') {}
export class GetDurableExecutionStateRequest extends requestOf('GetDurableExecutionState') {}
export class GetDurableExecutionHistoryRequest extends requestOf('GetDurableExecutionHistory') {}
export class StopDurableExecutionRequest extends requestOf('StopDurableExecution') {}
export class DeleteDurableExecutionRequest extends requestOf('DeleteDurableExecution') {}
export class GetDurableExecutionRequest extends requestOf('GetDurableExecution') {}
export class ListDurableExecutionsByFunctionRequest extends requestOf('ListDurableExecutionsByFunction') {}
export class SendDurableExecutionCallbackSuccessRequest extends requestOf('SendDurableExecutionCallbackSuccess') {}
export class SendDurableExecutionCallbackFailureRequest extends requestOf('SendDurableExecutionCallbackFailure') {}
export class SendDurableExecutionCallbackHeartbeatRequest extends requestOf('SendDurableExecutionCallbackHeartbeat') {}
export class InvokeRequest extends requestOf('Invoke') {}
export class GetFunctionConfigurationRequest extends requestOf('GetFunctionConfiguration') {}
export class GetFunctionRequest extends requestOf('GetFunction') {}
export class ListFunctionsRequest extends requestOf('ListFunctions') {}
export class CreateFunctionRequest extends requestOf('CreateFunction') {}
export class UpdateFunctionCodeRequest extends requestOf('UpdateFunctionCode') {}
export class UpdateFunctionConfigurationRequest extends requestOf('UpdateFunctionConfiguration') {}
export class DeleteFunctionRequest extends requestOf('DeleteFunction') {}
export class PublishVersionRequest extends requestOf('PublishVersion') {}
export class ListVersionsByFunctionRequest extends requestOf('ListVersionsByFunction') {}
export class CreateAliasRequest extends requestOf('CreateAlias') {}
export class GetAliasRequest extends requestOf('GetAlias') {}
export class UpdateAliasRequest extends requestOf('UpdateAlias') {}
export class DeleteAliasRequest extends requestOf('DeleteAlias') {}
export class ListAliasesRequest extends requestOf('ListAliases') {}
export class PutFunctionConcurrencyRequest extends requestOf('PutFunctionConcurrency') {}
export class GetFunctionConcurrencyRequest extends requestOf('GetFunctionConcurrency') {}
export class DeleteFunctionConcurrencyRequest extends requestOf('DeleteFunctionConcurrency') {}
export class PutFunctionEventInvokeConfigRequest extends requestOf('PutFunctionEventInvokeConfig') {}
export class UpdateFunctionEventInvokeConfigRequest extends requestOf('UpdateFunctionEventInvokeConfig') {}
export class GetFunctionEventInvokeConfigRequest extends requestOf('GetFunctionEventInvokeConfig') {}
export class DeleteFunctionEventInvokeConfigRequest extends requestOf('DeleteFunctionEventInvokeConfig') {}
export class ListFunctionEventInvokeConfigsRequest extends requestOf('ListFunctionEventInvokeConfigs') {}
export class TagResourceRequest extends requestOf('TagResource') {}
export class UntagResourceRequest extends requestOf('UntagResource') {}
export class ListTagsRequest extends requestOf('ListTags') {}
export class GetAccountSettingsRequest extends requestOf('GetAccountSettings') {}
export class AddPermissionRequest extends requestOf('AddPermission') {}
export class RemovePermissionRequest extends requestOf('RemovePermission') {}
export class GetPolicyRequest extends requestOf('GetPolicy') {}
export class PutProvisionedConcurrencyConfigRequest extends requestOf('PutProvisionedConcurrencyConfig') {}
export class GetProvisionedConcurrencyConfigRequest extends requestOf('GetProvisionedConcurrencyConfig') {}
export class DeleteProvisionedConcurrencyConfigRequest extends requestOf('DeleteProvisionedConcurrencyConfig') {}
export class GetRuntimeManagementConfigRequest extends requestOf('GetRuntimeManagementConfig') {}
export class PutRuntimeManagementConfigRequest extends requestOf('PutRuntimeManagementConfig') {}
export class GetFunctionRecursionConfigRequest extends requestOf('GetFunctionRecursionConfig') {}
export class PutFunctionRecursionConfigRequest extends requestOf('PutFunctionRecursionConfig') {}
export class GetFunctionCodeSigningConfigRequest extends requestOf('GetFunctionCodeSigningConfig') {}
export class PublishLayerVersionRequest extends requestOf('PublishLayerVersion') {}
export class GetLayerVersionRequest extends requestOf('GetLayerVersion') {}
export class GetLayerVersionByArnRequest extends requestOf('GetLayerVersionByArn') {}
export class ListLayersRequest extends requestOf('ListLayers') {}
export class ListLayerVersionsRequest extends requestOf('ListLayerVersions') {}
export class DeleteLayerVersionRequest extends requestOf('DeleteLayerVersion') {}
export class AddLayerVersionPermissionRequest extends requestOf('AddLayerVersionPermission') {}
export class RemoveLayerVersionPermissionRequest extends requestOf('RemoveLayerVersionPermission') {}
export class GetLayerVersionPolicyRequest extends requestOf('GetLayerVersionPolicy') {}

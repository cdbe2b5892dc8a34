/**
 * What is kept beside the versions of a function: concurrency, asynchronous invocation, tags, permissions, recursion,
 * runtime updates (spec 02 §2.5–2.6).
 */
import { functionArn, type Place } from '../../protocol/arn.ts'
import { isDestination } from '../../protocol/destination.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { type Change, knownQualifier, type RegistryFacts, without } from './change.ts'
import { shownPolicy, withoutStatement, withStatement } from './policies.ts'
import type { EventInvokeConfig, FunctionRecord, ProvisionedConcurrency, RuntimeUpdates } from './record.ts'

/** Undefined: no reservation. 0: nothing of the function is invoked. */
export function reserveConcurrency(record: FunctionRecord, reserved: number | undefined): Change<number | undefined> {
  const { reservedConcurrency: _before, ...rest } = record
  return { record: reserved === undefined ? rest : { ...rest, reservedConcurrency: reserved }, answer: reserved }
}

// ------------------------------------------------------------------------------------------ asynchronous invocation

type EventInvokeInput = InputOf<'PutFunctionEventInvokeConfig'>

/** Replaces the whole configuration. */
export function putEventInvoke(
  record: FunctionRecord,
  input: EventInvokeInput,
  facts: RegistryFacts,
): Change<EventInvokeConfig> {
  const key = knownQualifier(record, input.Qualifier, facts.place)
  return setEventInvoke(record, key, eventInvokeOf(input, undefined, facts.now))
}

/** Changes the members that are given, of a configuration that is there. */
export function updateEventInvoke(
  record: FunctionRecord,
  input: EventInvokeInput,
  facts: RegistryFacts,
): Change<EventInvokeConfig> {
  const before = eventInvokeAt(record, input.Qualifier, facts.place)
  return setEventInvoke(record, input.Qualifier ?? '$LATEST', eventInvokeOf(input, before, facts.now))
}

export function deleteEventInvoke(
  record: FunctionRecord,
  qualifier: string | undefined,
  place: Place,
): Change<undefined> {
  eventInvokeAt(record, qualifier, place)
  return { record: { ...record, eventInvoke: without(record.eventInvoke, qualifier ?? '$LATEST') }, answer: undefined }
}

/** The configuration of a qualifier, or the error that there is none. */
export function eventInvokeAt(record: FunctionRecord, qualifier: string | undefined, place: Place): EventInvokeConfig {
  const key = qualifier ?? '$LATEST'
  const config = record.eventInvoke[key]
  if (config !== undefined) return config
  const arn = functionArn(place, record.name, key)
  throw new ApiError('ResourceNotFoundException', `The function ${arn} doesn't have an EventInvokeConfig`)
}

function setEventInvoke(record: FunctionRecord, key: string, config: EventInvokeConfig): Change<EventInvokeConfig> {
  return { record: { ...record, eventInvoke: { ...record.eventInvoke, [key]: config } }, answer: config }
}

function eventInvokeOf(
  { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig }: EventInvokeInput,
  before: EventInvokeConfig | undefined,
  now: number,
): EventInvokeConfig {
  if (MaximumRetryAttempts === undefined && MaximumEventAgeInSeconds === undefined && DestinationConfig === undefined) {
    throw invalidParameter('You must specify at least one of error handling or destination setting.')
  }
  // An empty destination takes the one that was there away.
  const onSuccess =
    DestinationConfig?.OnSuccess === undefined ? before?.onSuccess : DestinationConfig.OnSuccess.Destination
  const onFailure =
    DestinationConfig?.OnFailure === undefined ? before?.onFailure : DestinationConfig.OnFailure.Destination
  for (const destination of [onSuccess, onFailure]) requireDestination(destination)
  const retryAttempts = MaximumRetryAttempts ?? before?.retryAttempts
  const eventAgeSeconds = MaximumEventAgeInSeconds ?? before?.eventAgeSeconds
  return {
    lastModified: now,
    ...(retryAttempts === undefined ? undefined : { retryAttempts }),
    ...(eventAgeSeconds === undefined ? undefined : { eventAgeSeconds }),
    ...(onSuccess ? { onSuccess } : undefined),
    ...(onFailure ? { onFailure } : undefined),
  }
}

/** That a URL can be read is more than its pattern says. */
export function requireDestination(text: string | undefined): void {
  if (text !== undefined && !isDestination(text)) throw invalidParameter(`The destination ${text} is not valid.`)
}

// ------------------------------------------------------------------------------------------------------------- tags

const MAX_TAGS = 50

export function tag(record: FunctionRecord, tags: Readonly<Record<string, string>>): Change<undefined> {
  const all = { ...record.tags, ...tags }
  if (Object.keys(all).length > MAX_TAGS) {
    throw invalidParameter(`The number of tags on the resource exceeds the limit of ${MAX_TAGS}.`)
  }
  return { record: { ...record, tags: all }, answer: undefined }
}

export function untag(record: FunctionRecord, keys: readonly string[]): Change<undefined> {
  const gone = new Set(keys)
  const tags = Object.fromEntries(Object.entries(record.tags).filter(([key]) => !gone.has(key)))
  return { record: { ...record, tags }, answer: undefined }
}

// ------------------------------------------------------------------------------------------------------ permissions

/** The answer is the statement as JSON. */
export function addPermission(
  record: FunctionRecord,
  input: InputOf<'AddPermission'>,
  facts: RegistryFacts,
): Change<string> {
  const key = knownQualifier(record, input.Qualifier, facts.place)
  const json = JSON.stringify(statementOf(input, functionArn(facts.place, record.name, input.Qualifier)))
  const writing = { given: input.RevisionId, next: facts.uuid }
  const policy = withStatement(record.policies[key], { id: input.StatementId, json }, writing)
  return { record: { ...record, policies: { ...record.policies, [key]: policy } }, answer: json }
}

export function removePermission(
  record: FunctionRecord,
  input: InputOf<'RemovePermission'>,
  facts: RegistryFacts,
): Change<undefined> {
  const key = knownQualifier(record, input.Qualifier, facts.place)
  const before = record.policies[key]
  if (before === undefined) throw new ApiError('ResourceNotFoundException', NO_POLICY)
  const policy = withoutStatement(before, input.StatementId, { given: input.RevisionId, next: facts.uuid })
  const policies = policy === undefined ? without(record.policies, key) : { ...record.policies, [key]: policy }
  return { record: { ...record, policies }, answer: undefined }
}

/** The policy as JSON, with its revision. */
export function policyAt(
  record: FunctionRecord,
  qualifier: string | undefined,
  place: Place,
): { readonly json: string; readonly revisionId: string } {
  const policy = record.policies[knownQualifier(record, qualifier, place)]
  if (policy === undefined) throw new ApiError('ResourceNotFoundException', NO_POLICY)
  return shownPolicy(policy)
}

const NO_POLICY = 'The resource you requested does not exist.'

function statementOf(input: InputOf<'AddPermission'>, resource: string): object {
  const { Principal } = input
  const service = /\.amazonaws\.com(\.cn)?$/.test(Principal)
  const account = /^\d{12}$/.test(Principal)
  const conditions = {
    ...(input.SourceArn === undefined ? undefined : { ArnLike: { 'AWS:SourceArn': input.SourceArn } }),
    ...stringEquals({
      'AWS:SourceAccount': input.SourceAccount,
      'lambda:EventSourceToken': input.EventSourceToken,
      'aws:PrincipalOrgID': input.PrincipalOrgID,
      'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType,
    }),
  }
  return {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal:
      Principal === '*'
        ? '*'
        : service
          ? { Service: Principal }
          : { AWS: account ? `arn:aws:iam::${Principal}:root` : Principal },
    Action: input.Action,
    Resource: resource,
    ...(Object.keys(conditions).length === 0 ? undefined : { Condition: conditions }),
  }
}

function stringEquals(values: Readonly<Record<string, string | undefined>>): object {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return given.length === 0 ? {} : { StringEquals: Object.fromEntries(given) }
}

// ----------------------------------------------------------------------------------------------------- other settings

export function provision(
  record: FunctionRecord,
  input: InputOf<'PutProvisionedConcurrencyConfig'>,
  facts: RegistryFacts,
): Change<ProvisionedConcurrency> {
  const key = publishedQualifier(record, input.Qualifier, facts.place)
  const config = { requested: input.ProvisionedConcurrentExecutions, lastModified: facts.now }
  return { record: { ...record, provisioned: { ...record.provisioned, [key]: config } }, answer: config }
}

export function provisionedAt(record: FunctionRecord, qualifier: string, place: Place): ProvisionedConcurrency {
  const config = record.provisioned[publishedQualifier(record, qualifier, place)]
  if (config !== undefined) return config
  throw new ApiError(
    'ProvisionedConcurrencyConfigNotFoundException',
    'No Provisioned Concurrency Config found for this function',
  )
}

export function unprovision(record: FunctionRecord, qualifier: string, place: Place): Change<undefined> {
  const key = publishedQualifier(record, qualifier, place)
  return { record: { ...record, provisioned: without(record.provisioned, key) }, answer: undefined }
}

function publishedQualifier(record: FunctionRecord, qualifier: string, place: Place): string {
  if (qualifier === '$LATEST') {
    throw invalidParameter('Provisioned Concurrency Configs cannot be applied to unpublished function versions.')
  }
  return knownQualifier(record, qualifier, place)
}

export function setRecursiveLoop(record: FunctionRecord, loop: 'Allow' | 'Terminate'): Change<'Allow' | 'Terminate'> {
  return { record: { ...record, recursiveLoop: loop }, answer: loop }
}

export function setRuntimeUpdates(
  record: FunctionRecord,
  input: InputOf<'PutRuntimeManagementConfig'>,
  place: Place,
): Change<RuntimeUpdates> {
  const key = knownQualifier(record, input.Qualifier, place)
  const { UpdateRuntimeOn: on, RuntimeVersionArn: arn } = input
  if ((on === 'Manual') !== (arn !== undefined)) {
    throw invalidParameter(
      on === 'Manual'
        ? 'RuntimeVersionArn is required when UpdateRuntimeOn is Manual.'
        : 'RuntimeVersionArn can only be given when UpdateRuntimeOn is Manual.',
    )
  }
  const updates: RuntimeUpdates = { on, ...(arn === undefined ? undefined : { runtimeVersionArn: arn }) }
  return { record: { ...record, runtimeUpdates: { ...record.runtimeUpdates, [key]: updates } }, answer: updates }
}

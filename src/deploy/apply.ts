/**
 * Carries out a plan. A step that fails ends its function and no other; functions are deleted last, and only when all
 * else was done. What was interrupted is gone on with by planning again: the server itself says how far it came.
 */
import type { PerdureClient } from '../client/client.ts'
import { PerdureError, ResourceConflictException } from '../client/errors.ts'
import type { MembersOf } from '../client/requests.ts'
import type { Configuration, DesiredAlias, VersionReference } from './desired.ts'
import { CURRENT, type FunctionPlan, knownVersion, type LayerPlan, type StackPlan, type Step } from './plan.ts'
import { STACK_TAG, versionTag } from './tags.ts'
import { markedVersion, withVersion } from './template/template.ts'

export interface ApplyPorts {
  readonly client: PerdureClient
  /** By logical id. */
  readonly packages: ReadonlyMap<string, Uint8Array>
  readonly wait: (ms: number) => Promise<void>
  /** Told when a function is done with, in order. */
  readonly onDone: (outcome: FunctionOutcome) => void
  /** No further function is begun. */
  readonly signal: AbortSignal
}

export interface FunctionOutcome {
  readonly name: string
  readonly done: 'created' | 'changed' | 'published' | 'unchanged' | 'deleted' | 'failed' | 'not begun'
  /** With the steps that were carried out before. */
  readonly failure?: { readonly step: string; readonly error: PerdureError }
}

export async function applyPlan(plan: StackPlan, ports: ApplyPorts): Promise<readonly FunctionOutcome[]> {
  const outcomes: FunctionOutcome[] = []
  const note = (outcome: FunctionOutcome): void => {
    outcomes.push(outcome)
    ports.onDone(outcome)
  }
  const layers = new Map<string, string>()
  for (const each of plan.layers) {
    const outcome = await applyLayer(each, layers, ports)
    if (outcome !== undefined) note(outcome)
  }
  for (const each of plan.functions) note(await applyFunction(each, layers, ports))
  const complete = outcomes.every(({ done }) => done !== 'failed' && done !== 'not begun')
  for (const { name } of plan.deletions) {
    note(complete && !ports.signal.aborted ? await deleteFunction(name, ports) : { name, done: 'not begun' })
  }
  return outcomes
}

/** Removes a function with everything that is of it. */
export async function deleteFunction(name: string, { client }: Pick<ApplyPorts, 'client'>): Promise<FunctionOutcome> {
  try {
    await client.deleteFunction({ functionName: name })
    return { name, done: 'deleted' }
  } catch (error) {
    return failed(name, 'delete', error)
  }
}

/** Notes the number of the version. Undefined: there was nothing to do. */
async function applyLayer(
  { logicalId, name, version, members }: LayerPlan,
  layers: Map<string, string>,
  { client, packages, signal }: ApplyPorts,
): Promise<FunctionOutcome | undefined> {
  if (version !== undefined) {
    layers.set(logicalId, version)
    return undefined
  }
  if (signal.aborted) return { name, done: 'not begun' }
  try {
    const content = { zipFile: packageOf(logicalId, packages) }
    const published = await client.publishLayerVersion({ ...members, layerName: name, content }, UPLOAD)
    layers.set(logicalId, String(published.version))
    return { name: `${name}:${published.version}`, done: 'published' }
  } catch (error) {
    return failed(name, 'publish', error)
  }
}

/** A function whose layer could not be published is not begun: it would name a version that is not there. */
const hasLayers = ({ steps }: FunctionPlan, layers: ReadonlyMap<string, string>): boolean =>
  steps.every((step) => {
    const used = step.do === 'create' || step.do === 'configure' ? (step.members.layers ?? []) : []
    return used.every((arn) => {
      const logicalId = markedVersion(arn)
      return logicalId === undefined || layers.has(logicalId)
    })
  })

async function applyFunction(
  plan: FunctionPlan,
  layers: ReadonlyMap<string, string>,
  ports: ApplyPorts,
): Promise<FunctionOutcome> {
  const { name, logicalId, steps, action } = plan
  if (action === 'unchanged') return { name, done: 'unchanged' }
  if (ports.signal.aborted || !hasLayers(plan, layers)) return { name, done: 'not begun' }
  const work: Work = { name, logicalId, layers, ports, versions: new Map(plan.versions) }
  let current: Step['do'] = 'create'
  try {
    for (const step of steps) {
      current = step.do
      await carryOut(step, work)
    }
    return { name, done: action === 'create' ? 'created' : 'changed' }
  } catch (error) {
    return failed(name, current, error)
  }
}

function failed(name: string, step: string, error: unknown): FunctionOutcome {
  if (!(error instanceof PerdureError)) throw error
  return { name, done: 'failed', failure: { step, error } }
}

interface Work {
  readonly name: string
  readonly logicalId: string
  /** Numbers of versions of layers, by logical id. */
  readonly layers: ReadonlyMap<string, string>
  readonly ports: ApplyPorts
  /** Numbers of versions, by logical id. */
  readonly versions: Map<string, string>
}

/** One function for each kind of step. */
const CARRY_OUT: { readonly [Do in Step['do']]: (step: StepOf<Do>, work: Work) => Promise<void> } = {
  async create({ members }, { name, logicalId, layers, ports }) {
    const creation = {
      ...withLayers(members, layers),
      functionName: name,
      code: { zipFile: packageOf(logicalId, ports.packages) },
    }
    // It was not there when the plan was made: if it is now, with our tags, then an answer was lost.
    await unlessThere(ports.client.createFunction(creation, UPLOAD), async () => {
      const { tags } = await ports.client.getFunction({ functionName: name })
      return tags?.[STACK_TAG] === members.tags?.[STACK_TAG]
    })
    await untilReady(name, ports)
  },

  async 'update-code'({ architecture }, { name, logicalId, ports }) {
    const zipFile = packageOf(logicalId, ports.packages)
    const architectures = architecture && [architecture]
    await ports.client.updateFunctionCode({ functionName: name, zipFile, architectures }, UPLOAD)
    await untilReady(name, ports)
  },

  async configure({ members }, { name, layers, ports }) {
    await ports.client.updateFunctionConfiguration({ ...withLayers(members, layers), functionName: name })
    await untilReady(name, ports)
  },

  async tag({ tags }, { name, ports: { client } }) {
    await client.tagResource({ resource: await arnOf(name, client), tags })
  },

  async untag({ keys }, { name, ports: { client } }) {
    await client.untagResource({ resource: await arnOf(name, client), tagKeys: keys })
  },

  async publish({ logicalId, description }, { name, versions, ports: { client } }) {
    const { version } = await client.publishVersion({ functionName: name, description })
    versions.set(logicalId ?? CURRENT, version)
    if (logicalId === undefined) return
    await client.tagResource({ resource: await arnOf(name, client), tags: { [versionTag(logicalId)]: version } })
  },

  async 'create-alias'({ alias }, { name, versions, ports: { client } }) {
    const members = { functionName: name, ...aliasMembers(alias, versions) }
    await unlessThere(client.createAlias(members), async () => {
      await client.updateAlias(members)
      return true
    })
  },

  async 'update-alias'({ alias }, { name, versions, ports: { client } }) {
    await client.updateAlias({ functionName: name, ...aliasMembers(alias, versions) })
  },

  async 'delete-alias'({ name: alias }, { name, ports: { client } }) {
    await client.deleteAlias({ functionName: name, name: alias })
  },

  async 'reserve-concurrency'({ concurrency }, { name, ports: { client } }) {
    if (concurrency === undefined) await client.deleteFunctionConcurrency({ functionName: name })
    else await client.putFunctionConcurrency({ functionName: name, reservedConcurrentExecutions: concurrency })
  },

  async 'set-recursive-loop'({ recursiveLoop }, { name, ports: { client } }) {
    await client.putFunctionRecursionConfig({ functionName: name, recursiveLoop })
  },

  async provision({ alias, concurrency }, { name, ports: { client } }) {
    const at = { functionName: name, qualifier: alias }
    if (concurrency === undefined) await client.deleteProvisionedConcurrencyConfig(at)
    else await client.putProvisionedConcurrencyConfig({ ...at, provisionedConcurrentExecutions: concurrency })
  },

  async 'put-event-invoke'({ config }, { name, versions, ports: { client } }) {
    const { qualifier, onSuccess, onFailure, ...limits } = config
    await client.putFunctionEventInvokeConfig({
      functionName: name,
      qualifier: typeof qualifier === 'string' ? qualifier : numberOf(qualifier, versions),
      ...limits,
      destinationConfig: { onSuccess: { destination: onSuccess }, onFailure: { destination: onFailure } },
    })
  },

  async 'delete-event-invoke'({ qualifier }, { name, ports: { client } }) {
    await client.deleteFunctionEventInvokeConfig({ functionName: name, qualifier })
  },

  async 'add-permission'({ permission: { qualifier, statement }, statementId }, { name, versions, ports: { client } }) {
    const at = typeof qualifier === 'object' ? numberOf(qualifier, versions) : qualifier
    const added = client.addPermission({ ...statement, functionName: name, statementId, qualifier: at })
    // The id says what is in it.
    await unlessThere(added, async () => true)
  },

  async 'remove-permission'({ qualifier, statementId }, { name, ports: { client } }) {
    const at = qualifier === '$LATEST' ? undefined : qualifier
    await client.removePermission({ functionName: name, statementId, qualifier: at })
  },
}

type StepOf<Do extends Step['do']> = Extract<Step, { readonly do: Do }>

const carryOut = <Do extends Step['do']>(step: StepOf<Do>, work: Work): Promise<void> =>
  CARRY_OUT[step.do as Do](step, work)

/** Packages are large, and networks slow: more than the 30 s that other calls may take. */
const UPLOAD = { timeoutMs: 300_000 } as const

/** A creation; what is there already is for `settle` to look at: whether that is what was to be created. */
async function unlessThere(creation: Promise<unknown>, settle: () => Promise<boolean>): Promise<void> {
  try {
    await creation
  } catch (error) {
    if (!(error instanceof ResourceConflictException) || !(await settle())) throw error
  }
}

function withLayers<Members extends Configuration>(members: Members, numbers: ReadonlyMap<string, string>): Members {
  const layers = members.layers?.map((arn) => withVersion(arn, (logicalId) => numbers.get(logicalId)))
  return layers === undefined ? members : { ...members, layers }
}

function packageOf(logicalId: string, packages: ApplyPorts['packages']): Uint8Array {
  const bytes = packages.get(logicalId)
  if (bytes === undefined) throw new Error(`${logicalId} has no package`)
  return bytes
}

async function arnOf(functionName: string, client: PerdureClient): Promise<string> {
  return (await client.getFunctionConfiguration({ functionName })).functionArn
}

/** What an alias is given on its creation and on every change. */
function aliasMembers(
  { name, version, description, other }: DesiredAlias,
  versions: ReadonlyMap<string, string>,
): Omit<MembersOf<'CreateAlias'>, 'functionName'> {
  const additionalVersionWeights = other === undefined ? {} : { [numberOf(other.version, versions)]: other.weight }
  return {
    name,
    functionVersion: numberOf(version, versions),
    description,
    routingConfig: { additionalVersionWeights },
  }
}

function numberOf(reference: VersionReference, versions: ReadonlyMap<string, string>): string {
  const number = knownVersion(reference, versions)
  if (number !== undefined) return number
  throw new Error(`A plan uses a version that it does not publish: ${JSON.stringify(reference)}`)
}

const POLL_MS = 200
const POLLS = 300

/** Perdure's functions are ready at once; an answer that says otherwise is waited for, as every waiter does. */
async function untilReady(functionName: string, { client, wait }: ApplyPorts): Promise<void> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    const { state, lastUpdateStatus, ...reasons } = await client.getFunctionConfiguration({ functionName })
    const statuses = [state, lastUpdateStatus]
    if (statuses.includes('Failed'))
      throw new NeverReady(functionName, reasons.stateReason ?? reasons.lastUpdateStatusReason)
    if (state !== 'Pending' && lastUpdateStatus !== 'InProgress') return
    await wait(POLL_MS)
  }
  throw new NeverReady(functionName, `it was not within ${(POLLS * POLL_MS) / 1000} s`)
}

class NeverReady extends PerdureError {
  readonly consequence = 'terminal'

  constructor(name: string, reason = 'the server gives no reason') {
    super(`the function ${name} did not become active: ${reason}`)
    this.name = 'NeverReady'
  }
}

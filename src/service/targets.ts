/** What the FunctionName of a chained invoke means (spec 07 §7.6, 04 §4.12), looked up before the decision. */
import type { ChainedTarget } from '../engine/model.ts'
import { formatExecutionArn, functionArn, type Place, parseFunctionReference } from '../protocol/arn.ts'
import { TEXT } from '../protocol/errors.ts'
import type { OperationUpdate } from '../protocol/shapes.ts'
import type { Entropy, Functions, FunctionVersion } from './ports.ts'

export class Targets {
  readonly #functions: Functions
  readonly #place: Place
  readonly #entropy: Entropy
  readonly #allowUnqualified: boolean

  constructor(deps: { functions: Functions; place: Place; entropy: Entropy; allowUnqualified: boolean }) {
    this.#functions = deps.functions
    this.#place = deps.place
    this.#entropy = deps.entropy
    this.#allowUnqualified = deps.allowUnqualified
  }

  /** The targets of all chained invokes that the request starts, by operation id; undefined when it starts none. */
  of(updates: readonly OperationUpdate[]): ReadonlyMap<string, ChainedTarget> | undefined {
    let targets: Map<string, ChainedTarget> | undefined
    for (const { Type, Action, Id, ChainedInvokeOptions: options } of updates) {
      if (Type !== 'CHAINED_INVOKE' || Action !== 'START' || options === undefined) continue
      targets ??= new Map()
      targets.set(Id, this.#resolve(options.FunctionName, options.TenantId))
    }
    return targets
  }

  #resolve(text: string, tenantId: string | undefined): ChainedTarget {
    const reference = parseFunctionReference(text)
    if (reference === undefined) return { kind: 'refused', message: `Invalid function ARN '${text}'` }
    const { name, qualifier, account, region } = reference
    if (account !== undefined && account !== this.#place.account) return refusedBecause('account')
    if (region !== undefined && region !== this.#place.region) return refusedBecause('region')
    const version = this.#functions.resolve(name, qualifier)
    if (version === undefined) {
      const arn = functionArn(this.#place, name, qualifier ?? '$LATEST')
      return failed('ResourceNotFoundException', `Function not found: ${arn}`)
    }
    if (version.durable !== undefined && qualifier === undefined && !this.#allowUnqualified) {
      return failed('InvalidParameterValueException', TEXT.unqualified)
    }
    return tenancyFault(version, tenantId) ?? this.#target(version)
  }

  #target({ version, generation, durable, arn }: FunctionVersion): ChainedTarget {
    const target = { version, ...(generation === undefined ? undefined : { generation }) }
    if (durable === undefined) return { kind: 'plain', ...target }
    const childId = this.#entropy.uuid()
    return { kind: 'durable', ...target, childId, childArn: formatExecutionArn(arn, childName(childId), childId) }
  }
}

/** A child has a generated name (spec 07 §7.6); its id is one, so that the duty to start it needs no other member. */
export const childName = (childId: string): string => childId

function tenancyFault({ name, perTenant }: FunctionVersion, tenantId: string | undefined): ChainedTarget | undefined {
  if (perTenant === (tenantId !== undefined)) return undefined
  const text = perTenant
    ? `The function ${name} is isolated per tenant: an invocation must name a tenant.`
    : `The function ${name} is not isolated per tenant: an invocation cannot name a tenant.`
  return failed('InvalidParameterValueException', text)
}

const refusedBecause = (what: 'account' | 'region'): ChainedTarget => ({
  kind: 'refused',
  message: `Cannot start a CHAINED_INVOKE on a function in another ${what}.`,
})

const failed = (ErrorType: string, ErrorMessage: string): ChainedTarget => ({
  kind: 'failed',
  error: { ErrorType, ErrorMessage },
})

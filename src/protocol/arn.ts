/**
 * ARNs and function references (spec 09). Parsing is strict about form and silent about meaning: whether a region or
 * account is ours, and whether the function exists, is for others to say.
 */

export interface ExecutionArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  readonly functionName: string
  /** `$LATEST`, `$LATEST.PUBLISHED` or digits. */
  readonly version: string
  readonly name: string
  readonly executionId: string
  readonly text: string
}

export const EXECUTION_ARN_PATTERN =
  'arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\\d{12}):function:([a-zA-Z0-9_-]+):(\\$LATEST(?:\\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)'

export const FUNCTION_REFERENCE_PATTERN =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?'

const executionArn = new RegExp(`^${EXECUTION_ARN_PATTERN}$`)

/** The parts of an execution ARN, or undefined when the text has not that form (spec 09 §9.1). */
export function parseExecutionArn(text: string): ExecutionArn | undefined {
  if (text.length > 1024) return undefined
  const match = executionArn.exec(text)
  if (match === null) return undefined
  const [, partition, region, account, functionName, version, name, executionId] = match as unknown as string[]
  return { partition, region, account, functionName, version, name, executionId, text } as ExecutionArn
}

export interface FunctionReference {
  readonly name: string
  readonly qualifier: string | undefined
  readonly region: string | undefined
  readonly account: string | undefined
}

const functionReference = new RegExp(`^${FUNCTION_REFERENCE_PATTERN}$`)

/**
 * A name, partial ARN or full ARN, each with an optional qualifier (spec 09 §9.2); undefined when malformed.
 *
 *     orders                                         → orders
 *     orders:prod                                    → orders, prod
 *     123456789012:function:orders                   → orders, account 123456789012
 *     arn:aws:lambda:eu-west-1:123456789012:function:orders:3
 */
export function parseFunctionReference(text: string): FunctionReference | undefined {
  if (text.length < 1 || text.length > 256) return undefined
  const match = functionReference.exec(text)
  if (match === null) return undefined
  const name = match[11]
  if (name === undefined) return undefined
  if (text.startsWith('arn:') && (match[3] === undefined || match[9] === undefined || match[10] === undefined)) {
    return undefined
  }
  return {
    name,
    qualifier: match[13],
    region: match[3]?.slice(0, -1),
    account: match[9]?.slice(0, -1),
  }
}

/** Where this server's functions live. */
export interface Place {
  readonly partition: string
  readonly region: string
  readonly account: string
}

export const DEFAULT_PLACE: Place = { partition: 'aws', region: 'us-east-1', account: '000000000000' }

export function functionArn(place: Place, name: string, qualifier?: string): string {
  const base = `arn:${place.partition}:lambda:${place.region}:${place.account}:function:${name}`
  return qualifier === undefined ? base : `${base}:${qualifier}`
}

/** The ARN of a layer, or of one version of it. */
export function layerArn(place: Place, name: string, version?: number): string {
  const base = `arn:${place.partition}:lambda:${place.region}:${place.account}:layer:${name}`
  return version === undefined ? base : `${base}:${version}`
}

export interface LayerReference {
  readonly partition: string
  readonly region: string
  readonly account: string
  readonly name: string
  readonly version: number | undefined
}

/** The parts of the ARN of a layer or of one version of it; undefined when it is none (`awslayer` has no version here). */
export function parseLayerArn(text: string): LayerReference | undefined {
  const match = /^arn:([^:]+):lambda:([^:]+):(\d{12}):layer:([a-zA-Z0-9-_]+)(?::([0-9]{1,15}))?$/.exec(text)
  if (match === null) return undefined
  const [, partition = '', region = '', account = '', name = '', version] = match
  return { partition, region, account, name, version: version === undefined ? undefined : Number(version) }
}

/** The ARN of an execution of a function version (spec 09 §9.1). */
export function formatExecutionArn(qualifiedFunctionArn: string, name: string, executionId: string): string {
  return `${qualifiedFunctionArn}/durable-execution/${name}/${executionId}`
}

/**
 * From the text of a request line to an operation, its label and its query. Nothing is normalised: dots, doubled
 * slashes and escapes stay as they came until the label is cut out, and only then is it decoded, once (spec 01 §1.0).
 */
import { ApiError } from '../protocol/errors.ts'
import { NO_QUERY } from '../protocol/validate.ts'

/** A path template: `/functions/{FunctionName}/aliases/{Name}`, `/layers?find=LayerVersion`. */
export interface PathTemplate {
  readonly prefix: string
  /** Between the labels: one less than there are. */
  readonly middles: readonly string[]
  readonly suffix: string
  readonly label: boolean
  /** The one label may arrive with real slashes in it. */
  readonly greedy: boolean
  /** A parameter that the query must hold; undefined: whatever it holds. */
  readonly parameter: string | undefined
}

export function parseTemplate(template: string): PathTemplate {
  const { path, query } = splitTarget(template)
  const greedy = path.includes('+}')
  const [prefix = '', ...others] = path.split(/\{\w+\+?\}/)
  const suffix = others.at(-1) ?? ''
  const parameter = query === '' ? undefined : query
  return { prefix, middles: others.slice(0, -1), suffix, label: others.length > 0, greedy, parameter }
}

/** Whether the query is one that the template asks for. */
export function matchQuery({ parameter }: PathTemplate, query: string): boolean {
  return parameter === undefined || query.split('&').includes(parameter)
}

const NO_LABELS: readonly string[] = []

/** The labels as they stand in the path, undefined when the path is another. */
export function matchPath(template: PathTemplate, path: string): readonly string[] | undefined {
  const { prefix, middles, suffix } = template
  if (!template.label) return path === prefix || path === `${prefix}/` ? NO_LABELS : undefined
  const end = path.length - suffix.length
  if (end <= prefix.length || !path.startsWith(prefix) || !path.endsWith(suffix)) return undefined
  let rest = path.slice(prefix.length, end)
  if (template.greedy) return [rest]
  const labels: string[] = []
  for (const middle of middles) {
    const at = rest.indexOf(middle)
    if (at < 0) return undefined
    labels.push(rest.slice(0, at))
    rest = rest.slice(at + middle.length)
  }
  labels.push(rest)
  return labels.every((each) => each !== '' && !each.includes('/')) ? labels : undefined
}

/** Splits at the first question mark. A fragment is no part of a request; one that is sent belongs to the query. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

export function decodeLabel(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ApiError('SerializationException', 'The request path is not validly percent-encoded.')
  }
}

/**
 * The parameters with all their values in order. A plus sign is a plus sign: tokens and markers hold them, and SDKs
 * send spaces as `%20`.
 */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  if (query === '') return NO_QUERY
  const values = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeParameter(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decodeParameter(pair.slice(equals + 1))
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return values
}

function decodeParameter(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ApiError('SerializationException', 'The query string is not validly percent-encoded.')
  }
}

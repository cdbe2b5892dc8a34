/**
 * From the text of a request line to an operation, its label and its query. Nothing is normalised: dots, doubled
 * slashes and escapes stay as they came until the label is cut out, and only then is it decoded, once (spec 01 §1.0).
 */
import { ApiError } from '../protocol/errors.ts'
import { NO_QUERY } from '../protocol/validate.ts'

/** A path template with at most two labels: `/functions/{FunctionName}/aliases/{Name}`. */
export interface PathTemplate {
  readonly prefix: string
  /** Between two labels; undefined when there are fewer. */
  readonly middle: string | undefined
  readonly suffix: string
  readonly label: boolean
  /** The one label may arrive with real slashes in it. */
  readonly greedy: boolean
}

export function parseTemplate(template: string): PathTemplate {
  const [prefix = '', first, between = '', second, after = ''] = template.split(/\{(\w+\+?)\}/)
  const label = first !== undefined
  const greedy = first?.endsWith('+') === true
  if (second === undefined) return { prefix, middle: undefined, suffix: between, label, greedy }
  return { prefix, middle: between, suffix: after, label, greedy }
}

const NO_LABELS: readonly string[] = []

/** The labels as they stand in the path, undefined when the path is another. */
export function matchPath(template: PathTemplate, path: string): readonly string[] | undefined {
  const { prefix, middle, suffix } = template
  if (!template.label) return path === prefix || path === `${prefix}/` ? NO_LABELS : undefined
  const end = path.length - suffix.length
  if (end <= prefix.length || !path.startsWith(prefix) || !path.endsWith(suffix)) return undefined
  const label = path.slice(prefix.length, end)
  if (middle === undefined) return template.greedy || !label.includes('/') ? [label] : undefined
  const labels = label.split(middle)
  return labels.length === 2 && labels.every((each) => each !== '' && !each.includes('/')) ? labels : undefined
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

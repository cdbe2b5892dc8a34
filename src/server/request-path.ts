/**
 * From the text of a request line to an operation, its label and its query. Nothing is normalised: dots, doubled
 * slashes and escapes stay as they came until the label is cut out, and only then is it decoded, once (spec 01 §1.0).
 */
import { ApiError } from '../protocol/errors.ts'
import { NO_QUERY } from '../protocol/validate.ts'

/** A path template with at most one label: `/functions/{FunctionName}/invocations`. */
export interface PathTemplate {
  readonly prefix: string
  readonly suffix: string
  readonly label: boolean
  /** The label may arrive with real slashes in it. */
  readonly greedy: boolean
}

export function parseTemplate(template: string): PathTemplate {
  const match = /^(.*)\{\w+(\+?)\}(.*)$/.exec(template)
  if (match === null) return { prefix: template, suffix: '', label: false, greedy: false }
  const [, prefix = '', plus, suffix = ''] = match
  return { prefix, suffix, label: true, greedy: plus === '+' }
}

/** The label as it stands in the path, `''` for a template without one, undefined when the path is another. */
export function matchPath(template: PathTemplate, path: string): string | undefined {
  const { prefix, suffix } = template
  if (!template.label) return path === prefix || path === `${prefix}/` ? '' : undefined
  const end = path.length - suffix.length
  if (end <= prefix.length || !path.startsWith(prefix) || !path.endsWith(suffix)) return undefined
  const label = path.slice(prefix.length, end)
  return template.greedy || !label.includes('/') ? label : undefined
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

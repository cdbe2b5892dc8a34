/**
 * Finds the route of a request. The table is short and its first row is the hot one, so it is walked; nothing is
 * decoded or normalised before a path has been recognised (spec 01 §1.0).
 */
import { ApiError } from '../protocol/errors.ts'
import { absentOperation } from './absent-operations.ts'
import { decodeLabel, matchPath, matchQuery, type PathTemplate, parseTemplate } from './request-path.ts'
import type { Route } from './route.ts'

export interface Match {
  readonly route: Route
  readonly labels: readonly string[]
}

export class Router {
  readonly #rows: readonly { readonly route: Route; readonly template: PathTemplate }[]

  constructor(routes: readonly Route[]) {
    this.#rows = routes.map((route) => ({ route, template: parseTemplate(route.path) }))
  }

  find(method: string, path: string, query = ''): Match {
    for (const { route, template } of this.#rows) {
      if (route.method !== method) continue
      const labels = matchPath(template, path)
      if (labels === undefined || !matchQuery(template, query)) continue
      return { route, labels: labels.map(decodeLabel) }
    }
    throw (
      absentOperation(path) ??
      new ApiError('UnknownOperationException', `No operation is known for ${method} ${path.slice(0, 256)}`)
    )
  }
}

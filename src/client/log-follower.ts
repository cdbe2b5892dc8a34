/**
 * Reads a log as it grows: each `poll` hands back the lines that were not handed back before. Every answer tells the
 * position up to which the log was looked at, and the next one begins there: nothing is missed, and nothing comes twice.
 */
import type { LoggedLine, LogsQuery, PerdureClient } from './client.ts'

/** In one answer. */
const pageLines = 1_000

export class LogFollower {
  readonly #client: PerdureClient
  readonly #query: LogsQuery
  #position: number | undefined

  /** The first poll hands back the newest `query.limit` lines; later ones all that is new. */
  constructor(client: PerdureClient, query: LogsQuery) {
    this.#client = client
    this.#query = query
  }

  async poll(signal?: AbortSignal): Promise<readonly LoggedLine[]> {
    const all: LoggedLine[] = []
    let complete = false
    while (!complete) {
      const query =
        this.#position === undefined ? this.#query : { ...this.#query, position: this.#position, limit: pageLines }
      const page = await this.#client.logPage(query, { signal })
      all.push(...page.records)
      // The first answer has the newest lines, and what is before them is not wanted.
      complete = this.#position === undefined || page.complete
      this.#position = page.position
    }
    return all
  }
}

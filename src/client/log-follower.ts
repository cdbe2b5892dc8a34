/**
 * Reads a log as it grows. Each `poll` hands back the lines that were not handed back before. Times have milliseconds,
 * so several lines may share one: the newest millisecond is read again each time, and what was seen of it is skipped.
 */
import type { LoggedLine, LogsQuery, PerdureClient } from './client.ts'

export class LogFollower {
  readonly #client: PerdureClient
  readonly #query: LogsQuery
  #newestAt: number | undefined
  #seenAtNewest = 0

  constructor(client: PerdureClient, query: LogsQuery) {
    this.#client = client
    this.#query = query
  }

  async poll(signal?: AbortSignal): Promise<readonly LoggedLine[]> {
    const newest = this.#newestAt
    const query = newest === undefined ? this.#query : { ...this.#query, afterMs: newest - 1 }
    const lines = await this.#client.logs(query, { signal })
    let skip = this.#seenAtNewest
    const fresh = lines.filter((line) => {
      if (newest === undefined || line.at > newest) return true
      skip -= 1
      return skip < 0
    })
    const last = lines.at(-1)
    if (last !== undefined) {
      this.#newestAt = Math.max(newest ?? 0, last.at)
      this.#seenAtNewest = lines.filter((line) => line.at === this.#newestAt).length
    }
    return fresh
  }
}

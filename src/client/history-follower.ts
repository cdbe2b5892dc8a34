/**
 * Reads the history of one execution as it grows. Each `poll` hands back the events that were not handed back before,
 * in order. The last page is read again on every poll, because only a full page has a marker that leads on (spec 11 §11.4).
 */
import type { HistoryEvent } from '../protocol/shapes.ts'
import type { PerdureClient } from './client.ts'

export class HistoryFollower {
  readonly #client: PerdureClient
  readonly #arn: string
  #lastPage: string | undefined
  #seen = 0

  constructor(client: PerdureClient, arn: string) {
    this.#client = client
    this.#arn = arn
  }

  async poll(signal?: AbortSignal): Promise<readonly HistoryEvent[]> {
    const fresh: HistoryEvent[] = []
    for (;;) {
      const page = await this.#client.historyPage({
        arn: this.#arn,
        ...(this.#lastPage !== undefined && { marker: this.#lastPage }),
        ...(signal !== undefined && { signal }),
      })
      fresh.push(...page.Events.filter((event) => event.EventId > this.#seen))
      this.#seen = page.Events.at(-1)?.EventId ?? this.#seen
      if (!page.NextMarker) return fresh
      this.#lastPage = page.NextMarker
    }
  }
}

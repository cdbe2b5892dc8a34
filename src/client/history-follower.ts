/**
 * Reads the history of one execution as it grows. Each `poll` hands back the events that were not handed back before,
 * in order. The last page is read again on every poll, because only a full page has a marker that leads on (spec 11 §11.4).
 */
import type { PerdureClient } from './client.ts'
import type { HistoryEvent } from './responses.ts'

const LARGEST_PAGE = 1000

export class HistoryFollower {
  readonly #client: PerdureClient
  readonly #durableExecutionArn: string
  #lastPage: string | undefined
  #seen = 0

  constructor(client: PerdureClient, durableExecutionArn: string) {
    this.#client = client
    this.#durableExecutionArn = durableExecutionArn
  }

  async poll(signal?: AbortSignal): Promise<readonly HistoryEvent[]> {
    const fresh: HistoryEvent[] = []
    for (;;) {
      const page = await this.#client.getDurableExecutionHistory(
        {
          durableExecutionArn: this.#durableExecutionArn,
          includeExecutionData: true,
          maxItems: LARGEST_PAGE,
          marker: this.#lastPage,
        },
        { signal },
      )
      fresh.push(...page.events.filter((event) => event.eventId > this.#seen))
      this.#seen = page.events.at(-1)?.eventId ?? this.#seen
      if (!page.nextMarker) return fresh
      this.#lastPage = page.nextMarker
    }
  }
}

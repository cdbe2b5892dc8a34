/**
 * What a configured destination means on this server. ARNs of other services mean what the server's configuration maps
 * them to; one that it does not map means nobody, which is told when something is to be delivered there.
 */
import type { Place } from '../protocol/arn.ts'
import { type Destination, parseDestination } from '../protocol/destination.ts'

export type Reachable = Exclude<Destination, { kind: 'elsewhere' }>

export class Destinations {
  readonly #place: Place
  readonly #exact = new Map<string, Reachable>()
  /** Texts that end in `*`, without it; the longest first. */
  readonly #prefixes: (readonly [prefix: string, to: Reachable])[] = []

  /**
   * `mapped`: from a destination, or the beginning of some (`arn:aws:sqs:*`), to a URL or a function. Throws a
   * `DestinationError` when one is neither.
   */
  constructor(mapped: Readonly<Record<string, string>>, place: Place) {
    this.#place = place
    for (const [from, to] of Object.entries(mapped)) {
      const reachable = reachableOf(to, place)
      if (reachable === undefined) throw new DestinationError(`What is meant for ${from}`, to)
      if (from.endsWith('*')) this.#prefixes.push([from.slice(0, -1), reachable])
      else this.#exact.set(from, reachable)
    }
    this.#prefixes.sort(([a], [b]) => b.length - a.length)
  }

  /** Undefined: nobody is reached by it. */
  find(destination: string): Reachable | undefined {
    const mapped =
      this.#exact.get(destination) ?? this.#prefixes.find(([prefix]) => destination.startsWith(prefix))?.[1]
    return mapped ?? reachableOf(destination, this.#place)
  }
}

/** A URL or a function of this place. */
export function reachableOf(text: string, place: Place): Reachable | undefined {
  const destination = parseDestination(text, place)
  return destination?.kind === 'elsewhere' ? undefined : destination
}

/** The configuration names somebody who cannot be reached. The message: cause, consequence and fix, a line each. */
export class DestinationError extends Error {
  constructor(what: string, to: string) {
    super(
      `${what} is to go to ${shownDestination(to)}, which is neither the URL of a webhook nor a function of this server.
It would be dropped.
Give the URL of a webhook, or a function in the region and account of this server.`,
    )
    this.name = 'DestinationError'
  }
}

/** For logs: of a URL only where it leads, for the rest of it may be a secret. */
export function shownDestination(text: string): string {
  if (!/^https?:/i.test(text)) return text
  const url = URL.parse(text)
  return url === null ? 'a URL that cannot be read' : url.origin
}

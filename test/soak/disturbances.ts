/**
 * What was done to the server and its functions, and when: the charts mark it, and it says of a timer whether it was
 * late on a quiet server or because its server was gone. Old ones are forgotten; their numbers are kept.
 */
export type FaultKind =
  | 'server killed'
  | 'server restarted'
  | 'server stopped'
  | 'function killed'
  | 'function stopped'
  | 'client connections cut'
  | 'slow clients'
  | 'hostile requests'
  | 'answer lost'
  | 'duplicate start'
  | 'contradicting start'
  | 'stale token'
  | 'repeated checkpoint'
  | 'second callback answer'
  | 'execution stopped'

interface Disturbance {
  readonly fromMs: number
  /** Infinity while it lasts. */
  untilMs: number
}

const REMEMBERED_MS = 900_000

export class Disturbances {
  readonly counts = new Map<FaultKind, number>()
  readonly #told: (kind: FaultKind, fromMs: number) => void
  #recent: Disturbance[] = []

  /** `told` hears of each fault that is worth a mark in a chart. */
  constructor(told: (kind: FaultKind, fromMs: number) => void) {
    this.#told = told
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** A fault that keeps timers waiting while it lasts. */
  async during<T>(kind: FaultKind, work: () => Promise<T>): Promise<T> {
    const fromMs = Date.now()
    const disturbance = { fromMs, untilMs: Number.POSITIVE_INFINITY }
    this.#recent = this.#recent.filter(({ untilMs }) => untilMs > fromMs - REMEMBERED_MS)
    this.#recent.push(disturbance)
    this.count(kind)
    this.#told(kind, fromMs)
    try {
      return await work()
    } finally {
      disturbance.untilMs = Date.now()
    }
  }

  /** A fault of a moment. */
  mark(kind: FaultKind): void {
    this.count(kind)
    this.#told(kind, Date.now())
  }

  /** The end of the last disturbance that touches the span; undefined when there was peace. */
  lastEnd(fromMs: number, untilMs: number): number | undefined {
    const ends = this.#recent.filter((other) => other.fromMs <= untilMs && other.untilMs >= fromMs)
    return ends.length === 0 ? undefined : Math.max(...ends.map((other) => Math.min(other.untilMs, untilMs)))
  }
}

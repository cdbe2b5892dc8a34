/**
 * What the service is busy with, so that a stopped clock knows when it may move on, and a drain when it is done.
 * `working` counts the service's own unfinished work (lanes that decide or commit, deliveries, hand-overs);
 * `invocations` counts functions that run. A waiting timer is neither.
 */
export class Activity {
  #working = 0
  #invocations = 0
  #waiting: { readonly still: () => boolean; readonly resolve: () => void }[] = []
  #watchers: (() => void)[] = []

  get working(): number {
    return this.#working
  }

  get invocations(): number {
    return this.#invocations
  }

  get quiet(): boolean {
    return this.#working === 0 && this.#invocations === 0
  }

  begin(): void {
    this.#working++
  }

  end(): void {
    this.#working--
    if (this.#working === 0) this.#changed()
  }

  invocationBegan(): void {
    this.#invocations++
  }

  invocationEnded(): void {
    this.#invocations--
    if (this.#invocations === 0) this.#changed()
  }

  /** Resolves as soon as `condition` holds; it is looked at whenever one of the counts falls to zero. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ still: () => !condition(), resolve }))
  }

  /** Resolves when the service has no unfinished work of its own; functions may still run. */
  settled(): Promise<void> {
    return this.until(() => this.#working === 0)
  }

  /** Calls back whenever the service becomes quiet. */
  onQuiet(call: () => void): void {
    this.#watchers.push(call)
  }

  #changed(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const waiter of waiting) {
        if (waiter.still()) this.#waiting.push(waiter)
        else waiter.resolve()
      }
    }
    if (this.quiet) for (const watcher of this.#watchers) watcher()
  }
}

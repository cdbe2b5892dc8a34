/**
 * Completes callbacks as a requirement says. Each callback that shows up in the history takes the first unused actions
 * that name it, up to and including one that completes it: so two actions for any callback go to two callbacks, and a
 * heartbeat and a success to one. Actions of one callback follow each other, each after its delay.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ObservedEvent, restoreNames } from './matcher.ts'
import type { CallbackAction } from './requirement.ts'
import type { ServiceUnderTest } from './service-under-test.ts'

export type CallbackClient = Pick<ServiceUnderTest, 'completeCallback'>

export class CallbackSender {
  readonly #service: CallbackClient
  readonly #unused: CallbackAction[]
  readonly #secondMs: number
  readonly #seen = new Set<string>()
  readonly #sending: Promise<void>[] = []
  readonly #problems: string[] = []

  /** `secondMs`: how long a second of a delay lasts. */
  constructor(service: CallbackClient, actions: readonly CallbackAction[], secondMs = 1000) {
    this.#service = service
    this.#secondMs = secondMs
    this.#unused = [...actions]
  }

  /** Acts on the callbacks that were not in the history before. */
  act(events: readonly ObservedEvent[]): void {
    for (const event of restoreNames(events)) {
      const details = event['CallbackStartedDetails'] as { readonly CallbackId?: string } | undefined
      const callbackId = details?.CallbackId
      if (callbackId === undefined || this.#seen.has(callbackId)) continue
      this.#seen.add(callbackId)
      this.#sending.push(this.#send(callbackId, this.#take(event['Name'])))
    }
  }

  /** Waits until everything is sent; returns what went wrong. */
  async settle(): Promise<readonly string[]> {
    await Promise.all(this.#sending)
    const unused = this.#unused.map((action) => `no callback for ${action.operation} of ${action.callbackName}`)
    return [...this.#problems, ...unused]
  }

  #take(name: unknown): readonly CallbackAction[] {
    const taken: CallbackAction[] = []
    while (taken.at(-1) === undefined || taken.at(-1)?.operation === 'heartbeat') {
      const index = this.#unused.findIndex(({ callbackName }) => callbackName === '*' || callbackName === name)
      if (index === -1) break
      taken.push(...this.#unused.splice(index, 1))
    }
    return taken
  }

  async #send(callbackId: string, actions: readonly CallbackAction[]): Promise<void> {
    try {
      for (const action of actions) {
        await sleep(action.delaySeconds * this.#secondMs)
        await this.#service.completeCallback(callbackId, action.operation, action.payload)
      }
    } catch (error) {
      this.#problems.push(`sending to callback ${callbackId} failed: ${String(error)}`)
    }
  }
}

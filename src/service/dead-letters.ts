/**
 * Asynchronous executions that fail, time out or are stopped leave their event to the dead-letter target of their
 * version (spec 07 §7.5). That it is owed is written with the entry that ends the execution; the event itself, which
 * may be long, is read when that is delivered on. Whoever is waited for by a parent tells the parent, and nobody else.
 */
import type { ExecutionState } from '../engine/model.ts'
import type { OutboxRow, Store } from '../journal/store.ts'
import { deliveryRow } from './deliveries.ts'
import { executionNotFound, isNotFound } from './failures.ts'
import { deadLetterAttributes } from './invocation-record.ts'
import type { Lanes } from './lanes.ts'
import type { ServiceLog } from './log.ts'
import type { Outbox, OwedRow } from './outbox.ts'
import type { Functions } from './ports.ts'
import { Later, type Texts } from './texts.ts'

export interface DeadLetter {
  readonly kind: 'deadLetter'
  readonly destination: string
}

const UNWANTED_ENDS: ReadonlySet<ExecutionState['status']> = new Set(['FAILED', 'TIMED_OUT', 'STOPPED'])

export class DeadLetters {
  readonly #store: Store
  readonly #functions: Functions
  readonly #lanes: () => Lanes
  readonly #texts: Texts
  readonly #outbox: () => Outbox
  readonly #log: ServiceLog

  constructor(deps: {
    store: Store
    functions: Functions
    lanes: () => Lanes
    texts: Texts
    outbox: () => Outbox
    log: ServiceLog
  }) {
    this.#store = deps.store
    this.#functions = deps.functions
    this.#lanes = deps.lanes
    this.#texts = deps.texts
    this.#outbox = deps.outbox
    this.#log = deps.log
  }

  /** What an execution owes that has just ended. */
  owedBy({ start, status }: ExecutionState): readonly OwedRow[] {
    if (start.mode !== 'async' || start.parent !== undefined || !UNWANTED_ENDS.has(status)) return []
    const { executionId, functionName: name, version, generation } = start
    // What has its name since is another function.
    if (this.#functions.wasDeleted?.({ name, version, generation }) === true) return []
    const destination = this.#functions.asynchronous?.({ name, qualifier: version, version }).deadLetterTarget
    if (destination === undefined) return []
    const owed: DeadLetter = { kind: 'deadLetter', destination }
    return [{ row: { id: rowId(executionId), executionId, text: JSON.stringify(owed) }, owed }]
  }

  /** Hands the event on to its destination's channel. */
  async deliver({ executionId }: OutboxRow, { destination }: DeadLetter): Promise<'done'> {
    try {
      await this.#outbox().post(await this.#letter(executionId, destination))
    } catch (error) {
      if (!isNotFound(error)) throw error
      const message = `Execution ${executionId} is gone: its event is not passed on to the dead-letter target`
      this.#log('warn', message, undefined, { executionId })
    }
    return 'done'
  }

  /** Whether the data of the execution is still needed for it. */
  async owes(executionId: string): Promise<boolean> {
    const id = rowId(executionId)
    const [row] = await this.#store.listOutbox({ afterId: id.slice(0, -1), limit: 1 })
    return row?.id === id
  }

  #letter(executionId: string, destination: string): Promise<OwedRow> {
    return this.#lanes()
      .of(executionId)
      .read<OwedRow>({
        absent: executionNotFound,
        look: ({ start, input, error, endedAt }, key) => {
          const { arn, functionName } = start
          const attributes = {
            ...deadLetterAttributes(executionId, error?.ErrorMessage),
            'Durable-Execution-Arn': arn,
          }
          return new Later(async () =>
            deliveryRow({
              of: 'deadLetter',
              destination,
              subject: executionId,
              executionId,
              body: await this.#texts.text(input, key),
              attributes,
              queuedAt: endedAt ?? 0,
              about: { executionId, executionArn: arn, functionName },
            }),
          )
        },
      })
  }
}

const rowId = (executionId: string): string => `${executionId}/deadLetter`

/**
 * One round of a lane: commands decided and applied one after another, their entries as one append item, and what the
 * callers will be told when it is durable.
 */
import { apply } from '../engine/apply.ts'
import { encodeEntry } from '../engine/codec.ts'
import { decide } from '../engine/decide.ts'
import { effects, indexOf } from '../engine/effects.ts'
import type { Decision, Duty, Entry, Facts } from '../engine/model.ts'
import type { AppendItem, IndexRow, WakeRow } from '../journal/store.ts'
import { unavailable } from './failures.ts'
import type { Caller, LaneCommand, LaneShell } from './lane.ts'
import type { Loaded } from './loading.ts'
import type { OwedRow } from './outbox.ts'
import { plainChannel } from './outbox-channels.ts'
import { inlineBytes } from './sizes.ts'
import { type EntriesAtHand, Later, settled } from './texts.ts'

interface Outcome {
  readonly caller: Caller<LaneCommand<unknown>>
  readonly error?: unknown
  readonly value?: unknown
}

export class Round {
  readonly firstSeq: number
  readonly rows: { readonly firstEventId: number; readonly text: string }[] = []
  readonly duties: OwedRow[] = []
  /** About how much the state has grown, and how long the entries are. */
  bytes = 0
  textBytes = 0
  closed = false
  readonly #loaded: Loaded
  readonly #shell: LaneShell
  readonly #entries: Entry[] = []
  readonly #outcomes: Outcome[] = []
  readonly #atHand: EntriesAtHand = (seq) => this.#entries[seq - this.firstSeq]
  #index: IndexRow | undefined

  constructor(loaded: Loaded, shell: LaneShell) {
    this.#loaded = loaded
    this.#shell = shell
    this.firstSeq = loaded.state.seq + 1
  }

  /** The execution's index row, if the round changed it. */
  get index(): IndexRow | undefined {
    return this.#index
  }

  /** Throws only when the fold fails, and then the state is spoiled. */
  decide(caller: Caller<LaneCommand<unknown>>): void {
    const { state, key } = this.#loaded
    const { request } = caller
    const refused = request.refuse?.(state)
    if (refused !== undefined) {
      this.#outcomes.push({ caller, error: refused })
      return
    }
    const decision = this.#decision(request)
    if ('error' in decision) {
      this.#outcomes.push({ caller, error: decision.error })
      return
    }
    const { entry, answer } = decision
    if (entry !== undefined) this.#append(entry)
    this.#outcomes.push({ caller, value: request.look({ state, key, answer, entry, atHand: this.#atHand }) })
  }

  #decision({ command, targets }: LaneCommand<unknown>): Decision {
    const { clock, entropy, limits, log } = this.#shell
    const facts: Facts = {
      now: clock.now(),
      entropy: () => entropy.hex(16),
      ...(targets === undefined ? undefined : { targets }),
    }
    try {
      return decide(this.#loaded.state, command, facts, limits)
    } catch (error) {
      // Deciding changes nothing, so only this command fails.
      const { executionId, arn: executionArn } = this.#loaded.state.start
      log('error', `Execution ${executionId}: no decision on ${command.kind}`, error, { executionId, executionArn })
      return { error: unavailable() }
    }
  }

  #append(entry: Entry): void {
    const { state } = this.#loaded
    apply(state, entry)
    const text = encodeEntry(entry)
    this.#entries.push(entry)
    this.rows.push({ firstEventId: entry.firstEventId, text })
    this.textBytes += text.length
    this.bytes += inlineBytes(entry)
    for (const effect of effects(state, entry)) {
      if (effect.kind === 'duty') this.duties.push(owed(state.start.executionId, effect.duty))
      else if (effect.kind === 'closed') {
        this.closed = true
        this.duties.push(...this.#shell.owedAtEnd(state))
      }
    }
  }

  item(): AppendItem {
    const { key, state, index } = this.#loaded
    const now = indexOf(state)
    if (!sameIndex(index, now)) this.#index = now
    return {
      target: { key },
      firstSeq: this.firstSeq,
      entries: this.rows,
      index: this.#index,
      outbox: this.duties.map(({ row }) => row),
    }
  }

  /** Tells every caller; views that need the journal are made now, when it has the entries. */
  answer(): void {
    for (const { caller, error, value } of this.#outcomes) {
      if (error !== undefined) caller.reject(error)
      else caller.resolve(value instanceof Later ? settled(value) : value)
    }
  }
}

/** The outbox row of a duty; its id is the idempotency key. */
function owed(executionId: string, duty: Duty): OwedRow {
  const key = `${executionId}/${duty.operationId}/${duty.kind}`
  const id = duty.kind === 'invokePlain' ? `${plainChannel(duty.functionName)}/${key}` : key
  return { row: { id, executionId, text: JSON.stringify(duty) }, owed: duty }
}

function sameIndex(a: IndexRow, b: IndexRow): boolean {
  return a.status === b.status && a.endedAt === b.endedAt && sameWake(a.wake, b.wake)
}

function sameWake(a: WakeRow | undefined, b: WakeRow | undefined): boolean {
  return a?.kind === b?.kind && dueOf(a) === dueOf(b)
}

const dueOf = (wake: WakeRow | undefined): number | undefined =>
  wake === undefined || wake.kind === 'ready' ? undefined : wake.dueMs

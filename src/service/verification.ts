/**
 * Whether a journal tells a story that its fold can follow, and whether everything beside it says the same: what
 * `perdure verify` asks of each execution. The journal is the truth; of two that differ, the other one is wrong.
 */
import { isDeepStrictEqual } from 'node:util'
import { apply, found } from '../engine/apply.ts'
import { decodeEntry } from '../engine/codec.ts'
import { indexOf } from '../engine/effects.ts'
import { type ExecutionState, FOLD_VERSION } from '../engine/model.ts'
import { writeSnapshot } from '../engine/snapshot.ts'
import type { ExecutionRow, JournalRow, Snapshot } from '../journal/store.ts'

/** A row, or why it is none. */
export type Checked<Row> = { readonly row: Row } | { readonly damage: string }

export interface ExecutionParts {
  readonly execution: Checked<ExecutionRow>
  readonly entries: Iterable<Checked<JournalRow>>
  readonly snapshot: Checked<Snapshot> | undefined
}

export interface ExecutionCheck {
  readonly entries: number
  readonly events: number
  /** What is wrong, in words that go on from `Execution <id>: `; nothing is said twice. */
  readonly findings: readonly string[]
}

export function verifyExecution({ execution, entries, snapshot }: ExecutionParts): ExecutionCheck {
  const findings: string[] = []
  if ('damage' in execution) findings.push(execution.damage)
  if (snapshot !== undefined && 'damage' in snapshot) findings.push(`${snapshot.damage}; it is not used`)
  const fold = new CheckingFold(snapshot !== undefined && 'row' in snapshot ? snapshot.row : undefined)
  for (const entry of entries) {
    const finding = 'damage' in entry ? entry.damage : fold.take(entry.row)
    if (finding === undefined) continue
    // What comes after it cannot be judged.
    findings.push(finding)
    return { entries: fold.entries, events: fold.events, findings }
  }
  if ('row' in execution) findings.push(...fold.compare(execution.row))
  return { entries: fold.entries, events: fold.events, findings }
}

class CheckingFold {
  entries = 0
  #state: ExecutionState | undefined
  readonly #snapshot: Snapshot | undefined
  #snapshotDiffers = false

  constructor(snapshot: Snapshot | undefined) {
    this.#snapshot = snapshot
  }

  get events(): number {
    return (this.#state?.nextEventId ?? 1) - 1
  }

  /** What is wrong with the next entry. */
  take({ seq, firstEventId, text }: JournalRow): string | undefined {
    const due = (this.#state?.seq ?? 0) + 1
    if (seq !== due) return `entry ${due} is missing: the next one is ${seq}`
    const dueEvent = this.#state?.nextEventId ?? 1
    if (firstEventId !== dueEvent) return `entry ${seq} begins at EventId ${firstEventId} instead of ${dueEvent}`
    try {
      const entry = decodeEntry(text)
      if (entry.firstEventId !== firstEventId) return `entry ${seq} and its row begin at different EventIds`
      if (this.#state === undefined) this.#state = found(entry)
      else apply(this.#state, entry)
    } catch (error) {
      return `entry ${seq} cannot be followed: ${error instanceof Error ? error.message : String(error)}`
    }
    this.entries += 1
    if (this.#snapshot?.seq === seq) this.#compareSnapshot(this.#snapshot, this.#state)
    return undefined
  }

  /** What the row of the execution, and its snapshot, say otherwise than the journal. */
  compare(row: ExecutionRow): string[] {
    const state = this.#state
    if (state === undefined) return ['it has no journal']
    const { start } = state
    const expected = {
      executionId: start.executionId,
      arn: start.arn,
      name: start.name,
      functionName: start.functionName,
      version: start.version,
      startedAt: state.startedAt,
      inputHash: start.inputHash,
      sdkInvocationId: start.sdkInvocationId,
      ...indexOf(state),
    }
    const findings = Object.entries(expected)
      .filter(([member, value]) => !isDeepStrictEqual(row[member as keyof ExecutionRow], value))
      .map(
        ([member, value]) =>
          `its row says ${member} ${JSON.stringify(row[member as keyof ExecutionRow])}, its journal ${JSON.stringify(value)}`,
      )
    if (this.#snapshotDiffers) findings.push('its snapshot is not what its journal folds to')
    if (this.#snapshot !== undefined && this.#snapshot.seq > state.seq) {
      findings.push(`its snapshot is of entry ${this.#snapshot.seq}, its journal ends at ${state.seq}`)
    }
    return findings
  }

  #compareSnapshot(snapshot: Snapshot, state: ExecutionState): void {
    if (snapshot.foldVersion !== FOLD_VERSION) return
    this.#snapshotDiffers = !isDeepStrictEqual(JSON.parse(snapshot.text), JSON.parse(writeSnapshot(state)))
  }
}

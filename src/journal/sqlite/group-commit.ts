/**
 * Natural group commit: while one group is being committed, whatever arrives waits; when the group is done, all that
 * waits is the next group. No timer delays anything. What arrives when the writer is idle leaves when the running
 * script is done, before the event loop turns: who wants to gather more (the service's committer) does so before.
 */
import type { StoreError } from '../store-error.ts'
import { storeErrorOf } from './failure.ts'
import type { FlatBatch } from './flat-batch.ts'
import type { Committed, WriteOperation, WriteOutcome } from './messages.ts'

/** A group holds at most so many operations and characters (or one operation), so that no commit takes long. */
const GROUP_OPERATIONS = 1_024
const GROUP_CHARS = 16_777_216

interface Waiting {
  readonly operation: WriteOperation
  readonly chars: number
  readonly resolve: (outcome: WriteOutcome) => void
  readonly reject: (error: StoreError) => void
}

export class GroupCommit {
  readonly #commit: (operations: readonly WriteOperation[]) => Promise<Committed>
  #waiting: Waiting[] = []
  #state: 'idle' | 'leaving' | 'committing' = 'idle'
  #whenIdle: (() => void)[] = []

  constructor(commit: (operations: readonly WriteOperation[]) => Promise<Committed>) {
    this.#commit = commit
  }

  /** The outcome of the operation, or a rejection. */
  add(operation: WriteOperation): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, chars: charsOf(operation), resolve, reject })
      if (this.#state !== 'idle') return
      this.#state = 'leaving'
      queueMicrotask(() => this.#next())
    })
  }

  /** Resolves when nothing waits and nothing is being committed. */
  idle(): Promise<void> {
    if (this.#state === 'idle') return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #next(): void {
    if (this.#waiting.length === 0) {
      this.#state = 'idle'
      for (const resolve of this.#whenIdle.splice(0)) resolve()
      return
    }
    this.#state = 'committing'
    const group = this.#takeGroup()
    this.#commit(group.map((waiting) => waiting.operation)).then(
      (committed) => {
        // The writer gets its next group before the callers of this one are told, so that it never waits for them.
        this.#next()
        committed.outcomes.forEach((outcome, index) => {
          const waiting = group[index]
          if (outcome.kind === 'failed') waiting?.reject(storeErrorOf(outcome.failure))
          else waiting?.resolve(outcome)
        })
      },
      (error: StoreError) => {
        this.#next()
        for (const waiting of group) waiting.reject(error)
      },
    )
  }

  #takeGroup(): Waiting[] {
    let chars = 0
    let count = 0
    for (const waiting of this.#waiting) {
      chars += waiting.chars
      if (count > 0 && (count === GROUP_OPERATIONS || chars > GROUP_CHARS)) break
      count += 1
    }
    const group = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    return group
  }
}

function charsOf(operation: WriteOperation): number {
  switch (operation.kind) {
    case 'append':
      return charsOfBatch(operation.batch)
    case 'snapshot':
      return operation.snapshot.text.length
    case 'putRecord':
      return operation.row.text.length
    case 'codePiece':
      return operation.bytes.length
    default:
      return 0
  }
}

function charsOfBatch({ texts, others, posted }: FlatBatch): number {
  let chars = 0
  for (const text of texts) chars += text.length
  for (const { text } of posted) chars += text.length
  for (const item of others) {
    for (const { text } of item.entries) chars += text.length
    for (const { text } of item.outbox) chars += text.length
  }
  return chars
}

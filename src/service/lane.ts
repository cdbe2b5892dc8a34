/**
 * One execution's lane (decision 9): all commands on it pass here, one round after another.
 *
 * States
 * - *idle*: nothing waits. The state may be loaded or not; an idle lane may be evicted.
 * - *loading*: the state is being read from the store. Whatever arrives waits.
 * - *committing*: one append item is in flight. Whatever arrives waits.
 *
 * A round answers the waiting reads from the durable state, then decides and applies all waiting commands one after
 * another and sends their entries as one all-or-nothing item. When the item is durable: effects, then answers. When
 * another writer was first, or the store failed, the state (which holds entries that are not in the journal) is
 * dropped, read again, and the commands are decided again, a bounded number of times. So nobody ever sees a state
 * that a crash could take back.
 */
import { crashPoint } from '../crash-point.ts'
import {
  type Answer,
  type ChainedTarget,
  type Command,
  type Entry,
  type ExecutionState,
  FOLD_VERSION,
} from '../engine/model.ts'
import { writeSnapshot } from '../engine/snapshot.ts'
import type { AppendResult, ExecutionKey, IndexRow, Store } from '../journal/store.ts'
import type { ApiError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Activity } from './activity.ts'
import type { Committer } from './committer.ts'
import { busy, shuttingDown, unavailable } from './failures.ts'
import { type Loaded, loadExecution } from './loading.ts'
import type { LogSubject, ServiceLog } from './log.ts'
import type { OwedRow } from './outbox.ts'
import type { Clock, Entropy } from './ports.ts'
import { Round } from './round.ts'
import { type EntriesAtHand, type Later, settled } from './texts.ts'

/** What the caller of a command may look at: the execution right after its entry, before any later one. */
export interface Seen {
  readonly state: ExecutionState
  readonly key: ExecutionKey
  readonly answer: Answer
  readonly entry: Entry | undefined
  readonly atHand: EntriesAtHand
}

export interface LaneCommand<T> {
  readonly command: Command
  readonly targets?: ReadonlyMap<string, ChainedTarget> | undefined
  /** Why this is not the execution that the caller means. */
  readonly refuse?: ((state: ExecutionState) => ApiError | undefined) | undefined
  /** The error when there is no such execution. */
  readonly absent: () => ApiError
  /** What the caller is told, once the entry is durable. Must not keep the state. */
  readonly look: (seen: Seen) => T | Later<T>
}

export interface LaneRead<T> {
  readonly refuse?: ((state: ExecutionState) => ApiError | undefined) | undefined
  readonly absent: () => ApiError
  readonly look: (state: ExecutionState, key: ExecutionKey) => T | Later<T>
}

/** What a lane needs of the service, and whom it tells what. */
export interface LaneShell {
  readonly store: Store
  readonly committer: Committer
  readonly clock: Clock
  readonly entropy: Entropy
  readonly limits: Limits
  readonly activity: Activity
  readonly log: ServiceLog
  /** The index row that is now in the store is another one than before. */
  readonly indexed: (state: ExecutionState, index: IndexRow) => void
  /** What is owed beyond the engine's duties because the execution has ended; written with its last entry. */
  readonly owedAtEnd: (state: ExecutionState) => readonly OwedRow[]
  /** A duty is in the outbox. */
  readonly owes: (duty: OwedRow) => void
  /** The execution's last entry is durable; said once, before `closed`. */
  readonly ended: (state: ExecutionState) => void
  readonly closed: (executionId: string) => void
  /** The journal may hold entries of the execution that this process has not followed up. */
  readonly lostTrack: (executionId: string) => void
  /** Notes why an execution cannot be read; false when that is known, for it is tried again and again. */
  readonly unreadable: (executionId: string, reason: unknown) => boolean
  /** The lane holds so many bytes more (or less) than before. */
  readonly resized: (bytes: number) => void
  /** Nothing waits and nothing is loaded: the lane may be forgotten. */
  readonly empty: (lane: Lane) => void
  /** No more commands and reads are taken. */
  readonly stopped: () => boolean
}

/** A command or read and its caller. The methods take `unknown` because one queue holds callers of all kinds. */
export interface Caller<R> {
  readonly request: R
  resolve(value: unknown): void
  reject(error: unknown): void
}

interface WaitingCommand extends Caller<LaneCommand<unknown>> {
  attempts: number
}

/** How often a command is decided again because its entry could not be appended. */
const MAX_ATTEMPTS = 5
/** Callers of one execution that may wait at a time. */
const MAX_WAITING = 10_000
/** A longer tail is worth a snapshot when the execution suspends (decision 7). */
const SNAPSHOT_ENTRIES = 256
const SNAPSHOT_BYTES = 1_048_576

/** Commands of the service itself: refusing them would only postpone them. */
const INTERNAL: ReadonlySet<Command['kind']> = new Set([
  'startInvocation',
  'endInvocation',
  'completeInvoke',
  'wake',
  'abandon',
])

export class Lane {
  readonly executionId: string
  readonly #shell: LaneShell
  #commands: WaitingCommand[] = []
  #reads: Caller<LaneRead<unknown>>[] = []
  #loaded: Loaded | undefined
  /** Created while the store was being read, which then may have found nothing. */
  #created: Loaded | undefined
  #state: 'idle' | 'loading' | 'committing' = 'idle'
  #working = false
  /** Forget the state as soon as nothing is in flight. */
  #gone = false
  /** Set on every use, cleared by the cache's sweep. */
  recentlyUsed = true

  constructor(executionId: string, shell: LaneShell) {
    this.executionId = executionId
    this.#shell = shell
  }

  get #subject(): LogSubject {
    return { executionId: this.executionId }
  }

  get evictable(): boolean {
    return !this.#working
  }

  submit<T>(request: LaneCommand<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#shell.stopped()) return reject(shuttingDown())
      if (this.#commands.length >= MAX_WAITING && !INTERNAL.has(request.command.kind)) return reject(busy())
      this.#commands.push({ request, resolve, reject, attempts: 0 })
      this.#pump()
    })
  }

  read<T>(request: LaneRead<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#shell.stopped()) return reject(shuttingDown())
      if (this.#reads.length >= MAX_WAITING) return reject(busy())
      this.#reads.push({ request, resolve, reject })
      this.#pump()
    })
  }

  /** Takes over the state of an execution that was just created, unless somebody has loaded it already. */
  install(loaded: Loaded): void {
    if (this.#state === 'loading') this.#created = loaded
    if (this.#state !== 'idle' || this.#loaded !== undefined) return
    this.#loaded = loaded
    this.#shell.resized(loaded.bytes)
  }

  /** The execution is gone from the store: whatever is folded, or being read, means nothing any more. */
  forget(): void {
    if (this.#working) this.#gone = true
    else this.evict()
  }

  /** Forgets the folded state; only while nothing waits. */
  evict(): void {
    this.#drop()
    this.#shell.empty(this)
  }

  #pump(): void {
    this.recentlyUsed = true
    while (this.#state === 'idle') {
      if (this.#gone) {
        this.#gone = false
        this.#drop()
      }
      if (this.#commands.length === 0 && this.#reads.length === 0) {
        this.#rest()
        return
      }
      if (!this.#working) {
        this.#working = true
        this.#shell.activity.begin()
      }
      if (this.#loaded === undefined) this.#load()
      else this.#turn(this.#loaded)
    }
  }

  #rest(): void {
    if (!this.#working) return
    this.#working = false
    if (this.#loaded === undefined) this.#shell.empty(this)
    this.#shell.activity.end()
  }

  #load(): void {
    this.#state = 'loading'
    loadExecution(this.#shell.store, this.executionId).then(
      (loaded) => this.#hasLoaded(loaded),
      (error: unknown) => {
        if (this.#shell.unreadable(this.executionId, error)) {
          this.#shell.log('error', `Execution ${this.executionId} could not be read`, error, this.#subject)
        }
        this.#created = undefined
        this.#state = 'idle'
        this.#rejectAll(unavailable)
        this.#pump()
      },
    )
  }

  /** What was read, or else what was created after the reading had begun: whoever came since then means that. */
  #hasLoaded(read: Loaded | undefined): void {
    const loaded = read ?? this.#created
    this.#created = undefined
    this.#state = 'idle'
    this.#loaded = loaded
    if (loaded === undefined) {
      this.#rejectAll((request) => request.absent())
    } else {
      this.#shell.resized(loaded.bytes)
    }
    this.#pump()
  }

  #rejectAll(error: (request: LaneCommand<unknown> | LaneRead<unknown>) => ApiError): void {
    const callers = [...this.#reads, ...this.#commands]
    this.#reads = []
    this.#commands = []
    for (const caller of callers) caller.reject(error(caller.request))
  }

  /** Reads first: the state is durable now. Then a round of everything that waits. */
  #turn(loaded: Loaded): void {
    const reads = this.#reads
    this.#reads = []
    for (const { request, resolve, reject } of reads) {
      try {
        const refused = request.refuse?.(loaded.state)
        if (refused !== undefined) reject(refused)
        else resolve(settled(request.look(loaded.state, loaded.key)))
      } catch (error) {
        reject(error)
      }
    }
    const commands = this.#commands
    if (commands.length === 0) return
    this.#commands = []
    const round = new Round(loaded, this.#shell)
    try {
      for (const command of commands) round.decide(command)
    } catch (error) {
      // The fold itself failed: what is in memory means nothing any more, and nothing was sent to the journal.
      this.#shell.log('error', `Execution ${this.executionId} could not be advanced`, error, this.#subject)
      this.#drop()
      for (const { reject } of commands) reject(unavailable())
      return
    }
    this.#shell.resized(round.bytes)
    loaded.bytes += round.bytes
    if (round.rows.length === 0) {
      round.answer()
      return
    }
    crashPoint('round-decided')
    this.#state = 'committing'
    this.#shell.committer.append(round.item(), (result) => this.#appended(loaded, round, commands, result))
  }

  #appended(loaded: Loaded, round: Round, commands: WaitingCommand[], result: AppendResult | undefined): void {
    if (result === undefined) this.#verify(loaded, round, commands)
    else if (result.ok) this.#committed(loaded, round)
    else this.#again(commands)
  }

  /** The store failed and nobody knows whether the item is in the journal: look. */
  #verify(loaded: Loaded, round: Round, commands: WaitingCommand[]): void {
    this.#shell.store.readJournal({ key: loaded.key, afterSeq: round.firstSeq - 1, maxBytes: 1 }).then(
      ([row]) => {
        if (row !== undefined && row.text === round.rows[0]?.text) this.#committed(loaded, round)
        else this.#again(commands)
      },
      (error: unknown) => {
        this.#shell.log('error', `Execution ${this.executionId} could not be read`, error, this.#subject)
        this.#loseTrack()
        this.#state = 'idle'
        for (const { reject } of commands) reject(unavailable())
        this.#pump()
      },
    )
  }

  #committed(loaded: Loaded, round: Round): void {
    crashPoint('round-durable')
    const { index } = round
    loaded.tailEntries += round.rows.length
    loaded.tailBytes += round.textBytes
    if (index !== undefined) {
      if (index.endedAt !== undefined && loaded.index.endedAt === undefined) this.#shell.ended(loaded.state)
      loaded.index = index
      this.#shell.indexed(loaded.state, index)
      if (index.wake?.kind === 'suspended') this.#snapshot(loaded)
    }
    for (const duty of round.duties) this.#shell.owes(duty)
    if (round.closed) this.#shell.closed(this.executionId)
    crashPoint('round-followed-up')
    round.answer()
    this.#state = 'idle'
    this.#pump()
  }

  #again(commands: WaitingCommand[]): void {
    this.#loseTrack()
    const again: WaitingCommand[] = []
    for (const command of commands) {
      command.attempts += 1
      if (command.attempts < MAX_ATTEMPTS) again.push(command)
      else command.reject(unavailable())
    }
    this.#commands = [...again, ...this.#commands]
    this.#state = 'idle'
    this.#pump()
  }

  /** The journal went another way, or nobody knows which: what is armed and owed must be looked at again. */
  #loseTrack(): void {
    this.#drop()
    this.#shell.lostTrack(this.executionId)
  }

  #drop(): void {
    if (this.#loaded === undefined) return
    this.#shell.resized(-this.#loaded.bytes)
    this.#loaded = undefined
  }

  #snapshot(loaded: Loaded): void {
    if (loaded.tailEntries <= SNAPSHOT_ENTRIES && loaded.tailBytes <= SNAPSHOT_BYTES) return
    const { key, state } = loaded
    const snapshot = { foldVersion: FOLD_VERSION, seq: state.seq, text: writeSnapshot(state) }
    loaded.tailEntries = 0
    loaded.tailBytes = 0
    const { store, activity, log } = this.#shell
    crashPoint('snapshot-made')
    activity.begin()
    store
      .writeSnapshot({ key, snapshot })
      .then(() => crashPoint('snapshot-durable'))
      .catch((error: unknown) => log('warn', `No snapshot of execution ${this.executionId}`, error, this.#subject))
      .finally(() => activity.end())
  }
}

/**
 * The functions that were created through the API: the shell around the pure commands of this folder. It keeps every
 * record in memory, as it is on disk.
 *
 * A command on a function waits for the one before it; then it is decided on the record, written in its place, and only
 * when that is durable does anybody see it. Code is stored before the record that names it, and removed when no record
 * names it any more; what a crash left between the two is removed at the start.
 *
 * Of a function that was deleted a small record stays, which nobody but its successor and its executions see.
 *
 * After a write that was rejected nobody knows what is stored: the next command on that function reads it again.
 */
import { createHash } from 'node:crypto'
import { ApiError } from '../../protocol/errors.ts'
import type { Change } from './change.ts'
import type { FunctionRow, FunctionStore } from './function-store.ts'
import type { RegisteredFunctions } from './ports.ts'
import {
  type CodeReference,
  codeOf,
  type DeletedFunction,
  deletedOf,
  type FunctionRecord,
  isDeleted,
  readRecord,
} from './record.ts'

/** All deployment packages of all versions together (spec 02 §2.5): 75 GB. */
export const TOTAL_CODE_BYTES = 80_530_636_800

interface Kept {
  readonly record: FunctionRecord | DeletedFunction
  /** Of the row. */
  readonly revision: number
}

export class Registry implements RegisteredFunctions {
  readonly #store: FunctionStore
  readonly #report: (message: string, error: unknown) => void
  readonly #kept = new Map<string, Kept>()
  /** The last command on each function that is under way. */
  readonly #commands = new Map<string, Promise<unknown>>()
  /** Functions whose last write was rejected. */
  readonly #doubtful = new Set<string>()
  /** How many records name the code, and how many commands that are under way will. */
  readonly #uses = new Map<string, number>()
  readonly #listeners: ((name: string) => void)[] = []

  /** Rejects when a record cannot be read. `report` is told of what does no harm and has to be known. */
  static async open(store: FunctionStore, report: (message: string, error: unknown) => void): Promise<Registry> {
    const registry = new Registry(store, report)
    for (const row of await store.listFunctions()) registry.#keep(row.name, keptOf(row))
    for (const sha256 of await store.listCode()) {
      if (!registry.#uses.has(sha256)) await store.removeCode({ sha256 })
    }
    return registry
  }

  private constructor(store: FunctionStore, report: (message: string, error: unknown) => void) {
    this.#store = store
    this.#report = report
  }

  get(name: string): FunctionRecord | undefined {
    return present(this.#kept.get(name))
  }

  deleted(name: string): DeletedFunction | undefined {
    return gone(this.#kept.get(name))
  }

  list(): readonly FunctionRecord[] {
    return [...this.#kept.values()].flatMap((kept) => present(kept) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async code({ sha256 }: CodeReference): Promise<Uint8Array> {
    const bytes = await this.packageOf(sha256)
    if (bytes === undefined) throw new Error(`The code ${sha256} is not there: no version of a function names it`)
    return bytes
  }

  async packageOf(sha256: string): Promise<Uint8Array | undefined> {
    return this.#uses.has(sha256) ? await this.#store.readCode({ sha256 }) : undefined
  }

  onChange(call: (name: string) => void): void {
    this.#listeners.push(call)
  }

  /**
   * Decides a command in its turn and keeps what it says; `undefined` as the record deletes the function. Rejects with
   * what `decide` throws, and then nothing has changed.
   */
  async change<Answer>(
    name: string,
    decide: (
      record: FunctionRecord | undefined,
      deleted: DeletedFunction | undefined,
    ) => Change<Answer> | { readonly record: undefined; readonly answer: Answer },
  ): Promise<Answer> {
    return await this.#inTurn(name, async () => {
      if (this.#doubtful.has(name)) await this.#readAgain(name)
      const before = this.#kept.get(name)
      const existing = present(before)
      const { record, answer } = decide(existing, gone(before))
      const after = record ?? (existing && deletedOf(existing))
      if (after !== undefined && after !== existing) await this.#write(name, before, after)
      return answer
    })
  }

  /** Stores a package for a command that names it, and removes it again if in the end no record does. */
  async withCode<Answer>(bytes: Uint8Array, command: (code: CodeReference) => Promise<Answer>): Promise<Answer> {
    const code = referenceTo(bytes)
    this.#requireRoom(code)
    this.#use(code.sha256)
    try {
      await this.#store.putCode({ sha256: code.sha256, bytes })
      return await command(code)
    } finally {
      this.#release(code.sha256)
    }
  }

  async #inTurn<Answer>(name: string, command: () => Promise<Answer>): Promise<Answer> {
    const before = this.#commands.get(name)
    const answer = before === undefined ? command() : before.then(command, command)
    this.#commands.set(name, answer)
    try {
      return await answer
    } finally {
      if (this.#commands.get(name) === answer) this.#commands.delete(name)
    }
  }

  async #write(name: string, before: Kept | undefined, record: Kept['record']): Promise<void> {
    const replaces = before?.revision ?? 0
    const after = { record, revision: replaces + 1 }
    this.#doubtful.add(name)
    const written = await this.#store.putFunction({ row: rowOf(name, after), replaces })
    if (!written) throw new Error(`The record of the function ${name} was changed by somebody else`)
    this.#doubtful.delete(name)
    this.#keep(name, after)
    for (const call of this.#listeners) call(name)
  }

  async #readAgain(name: string): Promise<void> {
    const row = (await this.#store.listFunctions()).find((each) => each.name === name)
    this.#doubtful.delete(name)
    if (row?.revision === this.#kept.get(name)?.revision) return
    this.#keep(name, row === undefined ? undefined : keptOf(row))
    for (const call of this.#listeners) call(name)
  }

  #keep(name: string, after: Kept | undefined): void {
    const before = this.#kept.get(name)
    if (after === undefined) this.#kept.delete(name)
    else this.#kept.set(name, after)
    for (const sha256 of after === undefined ? [] : codeOf(after.record)) this.#use(sha256)
    for (const sha256 of before === undefined ? [] : codeOf(before.record)) this.#release(sha256)
  }

  // ------------------------------------------------------------------------------------------------------------ code

  #use(sha256: string): void {
    this.#uses.set(sha256, (this.#uses.get(sha256) ?? 0) + 1)
  }

  #release(sha256: string): void {
    const left = (this.#uses.get(sha256) ?? 0) - 1
    if (left > 0) {
      this.#uses.set(sha256, left)
      return
    }
    this.#uses.delete(sha256)
    this.#store.removeCode({ sha256 }).catch((error: unknown) => {
      this.#report(`Code ${sha256}, which no function needs any more, could not be removed: the next start does`, error)
    })
  }

  #requireRoom({ bytes }: CodeReference): void {
    if (this.codeBytes + bytes <= TOTAL_CODE_BYTES) return
    throw new ApiError('CodeStorageExceededException', 'Code storage limit exceeded.')
  }

  /** Of all versions of all functions. */
  get codeBytes(): number {
    let bytes = 0
    for (const { latest, published } of this.list()) {
      for (const { code } of [latest, ...published]) bytes += code.bytes
    }
    return bytes
  }
}

const present = (kept: Kept | undefined): FunctionRecord | undefined =>
  kept === undefined || isDeleted(kept.record) ? undefined : kept.record

const gone = (kept: Kept | undefined): DeletedFunction | undefined =>
  kept !== undefined && isDeleted(kept.record) ? kept.record : undefined

/** Spec 09 §9.10: the hash of the package as it was uploaded, in base64. */
export const referenceTo = (bytes: Uint8Array): CodeReference => ({
  sha256: createHash('sha256').update(bytes).digest('base64'),
  bytes: bytes.length,
})

function keptOf({ name, revision, text }: FunctionRow): Kept {
  try {
    return { record: readRecord(text), revision }
  } catch (error) {
    throw new Error(`The record of the function ${name} cannot be read: ${String(error)}`, { cause: error })
  }
}

const rowOf = (name: string, { record, revision }: Kept): FunctionRow => ({
  name,
  revision,
  text: JSON.stringify(record),
})

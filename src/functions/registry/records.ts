/**
 * Records of one kind (functions, layers), kept in memory as they are on disk.
 *
 * A record is never removed, only replaced by one that says less: numbers are not given again.
 *
 * A command on a record waits for the one before it; then it is decided on the record, written in its place, and only
 * when that is durable does anybody see it. What the new record names of code is counted before it is written, so that
 * nobody removes it meanwhile.
 *
 * After a write that was rejected nobody knows what is stored: the next command on that record reads it again, and code
 * that only the rejected one names stays until the next start.
 */
import type { CodeShelf } from './code-shelf.ts'
import type { FunctionRow } from './function-store.ts'

/** Where records of one kind lie; as `FunctionStore` says of each. */
export interface RecordStore {
  list(): Promise<readonly FunctionRow[]>
  put(write: { readonly row: FunctionRow; readonly replaces: number }): Promise<boolean>
}

export interface RecordKind<Record> {
  /** For errors: `function`. */
  readonly what: string
  readonly store: RecordStore
  /** From its text; throws when it cannot be read. */
  readonly read: (text: string) => Record
  /** The hashes of all code that it names. */
  readonly codeOf: (record: Record) => ReadonlySet<string>
}

interface Kept<Record> {
  readonly record: Record
  /** Of the row. */
  readonly revision: number
}

export class Records<Record extends object> {
  readonly #kind: RecordKind<Record>
  readonly #code: CodeShelf
  readonly #kept = new Map<string, Kept<Record>>()
  /** The last command on each record that is under way. */
  readonly #commands = new Map<string, Promise<unknown>>()
  /** Those whose last write was rejected. */
  readonly #doubtful = new Set<string>()
  readonly #listeners: ((name: string) => void)[] = []

  /** Rejects when a record cannot be read. */
  static async open<Record extends object>(kind: RecordKind<Record>, code: CodeShelf): Promise<Records<Record>> {
    const records = new Records(kind, code)
    for (const row of await kind.store.list()) records.#keepRead(row.name, records.#keptOf(row))
    return records
  }

  private constructor(kind: RecordKind<Record>, code: CodeShelf) {
    this.#kind = kind
    this.#code = code
  }

  get(name: string): Record | undefined {
    return this.#kept.get(name)?.record
  }

  /** In the order of their names. */
  list(): readonly Record[] {
    const names = [...this.#kept.keys()].sort()
    return names.flatMap((name) => this.get(name) ?? [])
  }

  /** Calls back after a record was replaced, once that is durable. */
  onChange(call: (name: string) => void): void {
    this.#listeners.push(call)
  }

  /**
   * Decides a command in its turn and keeps what it says; `undefined` as the record, or the same one: nothing changes.
   * Rejects with what `decide` throws, and then nothing has changed either.
   */
  async change<Answer>(
    name: string,
    decide: (record: Record | undefined) => { readonly record: Record | undefined; readonly answer: Answer },
  ): Promise<Answer> {
    return await this.#inTurn(name, async () => {
      if (this.#doubtful.has(name)) await this.#readAgain(name)
      const before = this.#kept.get(name)
      const { record, answer } = decide(before?.record)
      if (record !== undefined && record !== before?.record) await this.#write(name, before, record)
      return answer
    })
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

  async #write(name: string, before: Kept<Record> | undefined, record: Record): Promise<void> {
    const { store, what } = this.#kind
    const replaces = before?.revision ?? 0
    const after = { record, revision: replaces + 1 }
    this.#doubtful.add(name)
    this.#code.use(this.#codeOf(after))
    if (!(await store.put({ row: rowOf(name, after), replaces }))) {
      this.#code.release(this.#codeOf(after))
      throw new Error(`The record of the ${what} ${name} was changed by somebody else`)
    }
    this.#doubtful.delete(name)
    this.#keep(name, after)
    this.#tell(name)
  }

  async #readAgain(name: string): Promise<void> {
    const row = (await this.#kind.store.list()).find((each) => each.name === name)
    this.#doubtful.delete(name)
    if (row?.revision === this.#kept.get(name)?.revision) return
    this.#keepRead(name, row === undefined ? undefined : this.#keptOf(row))
    this.#tell(name)
  }

  #keepRead(name: string, after: Kept<Record> | undefined): void {
    this.#code.use(this.#codeOf(after))
    this.#keep(name, after)
  }

  /** What it names is counted already. */
  #keep(name: string, after: Kept<Record> | undefined): void {
    const before = this.#kept.get(name)
    if (after === undefined) this.#kept.delete(name)
    else this.#kept.set(name, after)
    this.#code.release(this.#codeOf(before))
  }

  #tell(name: string): void {
    for (const call of this.#listeners) call(name)
  }

  #codeOf(kept: Kept<Record> | undefined): Iterable<string> {
    return kept === undefined ? [] : this.#kind.codeOf(kept.record)
  }

  #keptOf({ name, revision, text }: FunctionRow): Kept<Record> {
    try {
      return { record: this.#kind.read(text), revision }
    } catch (error) {
      throw new Error(`The record of the ${this.#kind.what} ${name} cannot be read: ${String(error)}`, { cause: error })
    }
  }
}

const rowOf = (name: string, { record, revision }: Kept<object>): FunctionRow => ({
  name,
  revision,
  text: JSON.stringify(record),
})

/**
 * Which log groups the functions' logs hold, as far as they are not the functions' own: `groups.json` beside the logs.
 *
 *     { "order": ["/aws/lambda/order", "/shop/orders"] }
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { defaultLogGroup, type LogRecord } from '../../service/ports.ts'
import { groupOf } from './log-record.ts'
import { isMissing } from './segments.ts'

export class GroupCatalog {
  /** Undefined: it is kept nowhere. */
  readonly #file: string | undefined
  readonly #failed: (message: string) => void
  readonly #groups: Map<string, readonly string[]>

  constructor(file: string | undefined, failed: (message: string) => void) {
    this.#file = file
    this.#failed = failed
    this.#groups = new Map(Object.entries(file === undefined ? {} : read(file)))
  }

  of(functionName: string): readonly string[] {
    return this.#groups.get(functionName) ?? [defaultLogGroup(functionName)]
  }

  /** `isFirst`: the function's log holds nothing else. */
  add(record: LogRecord, isFirst: boolean): void {
    const group = groupOf(record)
    const known = isFirst ? [] : this.of(record.functionName)
    if (known.includes(group)) return
    // A function with its own group alone is not listed.
    if (group === defaultLogGroup(record.functionName) && !this.#groups.has(record.functionName)) return
    this.#groups.set(record.functionName, [...known, group])
    this.#keep()
  }

  remove(functionName: string): void {
    if (this.#groups.delete(functionName)) this.#keep()
  }

  #keep(): void {
    if (this.#file === undefined) return
    try {
      writeFileSync(`${this.#file}.part`, JSON.stringify(Object.fromEntries(this.#groups)))
      renameSync(`${this.#file}.part`, this.#file)
    } catch (error) {
      this.#failed(`The list of log groups cannot be written: ${String(error)}.`)
    }
  }
}

function read(file: string): Readonly<Record<string, readonly string[]>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, readonly string[]>>
  } catch (error) {
    // Without it, or with a broken one, the functions' own groups are known, and others again once they are written.
    if (isMissing(error) || error instanceof SyntaxError) return {}
    throw error
  }
}

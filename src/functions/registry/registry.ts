/**
 * What was created through the API: functions and layers, and the code that both name. The shell around the pure
 * commands of this folder; how each record is decided, written and shown is in `records.ts`, what becomes of code in
 * `code-shelf.ts`.
 *
 * Of a function that was deleted a small record stays, which nobody but its successor and its executions see.
 */
import type { Change } from './change.ts'
import type { Package } from './code.ts'
import { CodeShelf, requireRoom } from './code-shelf.ts'
import type { FunctionStore } from './function-store.ts'
import { codeOfLayer, type LayerRecord, readLayerRecord } from './layer-record.ts'
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
import { Records } from './records.ts'

type AnyFunction = FunctionRecord | DeletedFunction

export class Registry implements RegisteredFunctions {
  readonly layers: Records<LayerRecord>
  readonly #functions: Records<AnyFunction>
  readonly #code: CodeShelf

  /** Rejects when a record cannot be read. `report` is told of what does no harm and has to be known. */
  static async open(store: FunctionStore, report: (message: string, error: unknown) => void): Promise<Registry> {
    const code = new CodeShelf(store, report)
    const functionRows = { list: () => store.listFunctions(), put: store.putFunction.bind(store) }
    const layerRows = { list: () => store.listLayers(), put: store.putLayer.bind(store) }
    const functions = await Records.open({ what: 'function', store: functionRows, read: readRecord, codeOf }, code)
    const layers = await Records.open(
      { what: 'layer', store: layerRows, read: readLayerRecord, codeOf: codeOfLayer },
      code,
    )
    await code.removeUnnamed()
    return new Registry(functions, layers, code)
  }

  private constructor(functions: Records<AnyFunction>, layers: Records<LayerRecord>, code: CodeShelf) {
    this.#functions = functions
    this.layers = layers
    this.#code = code
  }

  get(name: string): FunctionRecord | undefined {
    return present(this.#functions.get(name))
  }

  deleted(name: string): DeletedFunction | undefined {
    return gone(this.#functions.get(name))
  }

  list(): readonly FunctionRecord[] {
    return this.#functions.list().flatMap((record) => present(record) ?? [])
  }

  async code({ sha256 }: CodeReference): Promise<Uint8Array> {
    const bytes = await this.packageOf(sha256)
    if (bytes === undefined) throw new Error(`The code ${sha256} is not there: no version of a function names it`)
    return bytes
  }

  packageOf(sha256: string): Promise<Uint8Array | undefined> {
    return this.#code.read(sha256)
  }

  onChange(call: (name: string) => void): void {
    this.#functions.onChange(call)
  }

  /** Decides a command on a function; see `Records.change`. `undefined` as the record deletes the function. */
  change<Answer>(
    name: string,
    decide: (
      record: FunctionRecord | undefined,
      deleted: DeletedFunction | undefined,
    ) => Change<Answer> | { readonly record: undefined; readonly answer: Answer },
  ): Promise<Answer> {
    return this.#functions.change<Answer>(name, (stored) => {
      const existing = present(stored)
      const { record, answer } = decide(existing, gone(stored))
      return { record: record ?? (existing && deletedOf(existing)), answer }
    })
  }

  /** Stores a package for a command that names it, and removes it again if in the end no record does. */
  async withCode<Answer>(given: Package, command: (code: CodeReference) => Promise<Answer>): Promise<Answer> {
    requireRoom(this.codeBytes, given.code)
    return await this.#code.storing(given, command)
  }

  /** Of all versions of all functions and layers. */
  get codeBytes(): number {
    let bytes = 0
    for (const { latest, published } of this.list()) {
      for (const { code } of [latest, ...published]) bytes += code.bytes
    }
    for (const { versions } of this.layers.list()) for (const { code } of versions) bytes += code.bytes
    return bytes
  }
}

const present = (record: AnyFunction | undefined): FunctionRecord | undefined =>
  record === undefined || isDeleted(record) ? undefined : record

const gone = (record: AnyFunction | undefined): DeletedFunction | undefined =>
  record !== undefined && isDeleted(record) ? record : undefined

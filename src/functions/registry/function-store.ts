/**
 * What the registry needs of a database: implemented by the journal room, in the same database as the journals. A promise
 * that resolves means that what it says is durable; a rejection is a `StoreError`, and the fate of the write is unknown.
 */
export interface FunctionStore {
  /** All records, in the order of their names. */
  listFunctions(): Promise<readonly FunctionRow[]>
  /**
   * Puts the record of a function in the place of the one with the revision `replaces`; 0: there is none yet.
   * `false` when that is not what is there, and then nothing has changed.
   */
  putFunction(write: { readonly row: FunctionRow; readonly replaces: number }): Promise<boolean>
  /** The records of all layers, in the order of their names. */
  listLayers(): Promise<readonly LayerRow[]>
  /** As `putFunction`. A layer's record stays: it knows which numbers were given. */
  putLayer(write: { readonly row: LayerRow; readonly replaces: number }): Promise<boolean>
  /** Keeps bytes under their hash. Bytes that are there already are not written again. */
  putCode(code: { readonly sha256: string; readonly bytes: Uint8Array }): Promise<void>
  readCode(code: { readonly sha256: string }): Promise<Uint8Array | undefined>
  /** The hashes of all code, in order, also of what was begun and not finished. */
  listCode(): Promise<readonly string[]>
  /** Removes code, whether it is there or not. */
  removeCode(code: { readonly sha256: string }): Promise<void>
}

export interface FunctionRow {
  /** Unique among the records of its kind. */
  readonly name: string
  /** Counts the writes of this record, from 1. */
  readonly revision: number
  /** The record as JSON. */
  readonly text: string
}

/** A layer's record, in the same form. */
export type LayerRow = FunctionRow

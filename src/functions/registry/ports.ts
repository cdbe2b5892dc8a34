/** What the registry offers to those who run functions. */
import type { CodeReference, DeletedFunction, FunctionRecord } from './record.ts'

/** The functions that were created through the API, as those who run them see them. */
export interface RegisteredFunctions {
  /** The record as it is now: never changed, only replaced. */
  get(name: string): FunctionRecord | undefined
  /** What stays of a function of this name, when it was deleted and none was created in its place. */
  deleted(name: string): DeletedFunction | undefined
  /** In the order of their names. */
  list(): readonly FunctionRecord[]
  /** The zip of a version, as it was uploaded; rejects when it is not there. */
  code(reference: CodeReference): Promise<Uint8Array>
  /** Calls back after a record was replaced or removed, once that is durable. */
  onChange(call: (name: string) => void): void
}

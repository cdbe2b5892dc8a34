/**
 * What is stored about one layer: its versions that are not deleted, as one record that each accepted call replaces as a
 * whole. The record of a layer stays when its last version is deleted, for numbers are never used again.
 */
import type { CodeReference, StoredPolicy } from './record.ts'

/** Readers of the record refuse one of a later format. */
export const LAYER_RECORD_VERSION = 1

export interface LayerRecord {
  readonly v: number
  readonly name: string
  /** In the order of their numbers. */
  readonly versions: readonly StoredLayerVersion[]
  /** The highest number that was ever given. */
  readonly lastVersion: number
}

export interface StoredLayerVersion {
  readonly version: number
  readonly createdAt: number
  readonly code: CodeReference
  readonly description: string
  readonly license?: string
  /** Said, never enforced. */
  readonly runtimes?: readonly string[]
  readonly architectures?: readonly ('x86_64' | 'arm64')[]
  /** Stored and shown, never enforced. */
  readonly policy?: StoredPolicy
}

/** A record from its text. Throws when it is of a later release. */
export function readLayerRecord(text: string): LayerRecord {
  const record = JSON.parse(text) as LayerRecord
  if (record.v === LAYER_RECORD_VERSION) return record
  throw new Error(`its format is ${record.v}, and this Perdure knows ${LAYER_RECORD_VERSION}: a newer release wrote it`)
}

/** The hashes of all code that the record names. */
export const codeOfLayer = ({ versions }: LayerRecord): ReadonlySet<string> =>
  new Set(versions.map(({ code }) => code.sha256))

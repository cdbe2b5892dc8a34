/**
 * Entries as JSON text. The text is what is stored and what golden journals keep; folding must never depend on
 * anything but it. A later entry version gets its reader here and the old ones stay.
 */
import { ENTRY_VERSION, type Entry } from './model.ts'

export function encodeEntry(entry: Entry): string {
  return JSON.stringify(entry)
}

/** Throws when the entry was written by a newer version: folding it with old rules would corrupt the execution. */
export function decodeEntry(text: string): Entry {
  const entry = JSON.parse(text) as Entry
  if (entry.v > ENTRY_VERSION) {
    throw new Error(
      `journal entry has version ${entry.v}, this Perdure reads up to ${ENTRY_VERSION}: run the release that wrote it, or a newer one`,
    )
  }
  return entry
}

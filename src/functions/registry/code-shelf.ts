/**
 * The code that records name, by its hash: stored before the record that names it, and removed when none names it any
 * more. Every record counts each of its hashes once, and so does every command that is about to store one.
 */
import { ApiError } from '../../protocol/errors.ts'
import type { Package } from './code.ts'
import type { FunctionStore } from './function-store.ts'
import type { CodeReference } from './record.ts'

export class CodeShelf {
  readonly #store: FunctionStore
  readonly #report: (message: string, error: unknown) => void
  readonly #uses = new Map<string, number>()

  constructor(store: FunctionStore, report: (message: string, error: unknown) => void) {
    this.#store = store
    this.#report = report
  }

  /** At the start, when all records are counted: what a crash left between code and record. */
  async removeUnnamed(): Promise<void> {
    for (const sha256 of await this.#store.listCode()) {
      if (!this.#uses.has(sha256)) await this.#store.removeCode({ sha256 })
    }
  }

  /** Undefined when no record names it. */
  async read(sha256: string): Promise<Uint8Array | undefined> {
    return this.#uses.has(sha256) ? await this.#store.readCode({ sha256 }) : undefined
  }

  /** Stores a package for a command that names it, and removes it again if in the end no record does. */
  async storing<Answer>({ code, bytes }: Package, command: (code: CodeReference) => Promise<Answer>): Promise<Answer> {
    this.use([code.sha256])
    try {
      await this.#store.putCode({ sha256: code.sha256, bytes })
      return await command(code)
    } finally {
      this.release([code.sha256])
    }
  }

  use(hashes: Iterable<string>): void {
    for (const sha256 of hashes) this.#uses.set(sha256, (this.#uses.get(sha256) ?? 0) + 1)
  }

  release(hashes: Iterable<string>): void {
    for (const sha256 of hashes) this.#releaseOne(sha256)
  }

  #releaseOne(sha256: string): void {
    const left = (this.#uses.get(sha256) ?? 0) - 1
    if (left > 0) {
      this.#uses.set(sha256, left)
      return
    }
    this.#uses.delete(sha256)
    this.#store.removeCode({ sha256 }).catch((error: unknown) => {
      this.#report(`Code ${sha256}, which nothing needs any more, could not be removed: the next start does`, error)
    })
  }
}

/** All packages of all versions of functions and layers together (spec 02 §2.5): 75 GB. */
export const TOTAL_CODE_BYTES = 80_530_636_800

export function requireRoom(stored: number, { bytes }: CodeReference): void {
  if (stored + bytes <= TOTAL_CODE_BYTES) return
  throw new ApiError('CodeStorageExceededException', 'Code storage limit exceeded.')
}

/**
 * The files that logs are written to. Few are open at a time, however many functions there are: those written last
 * stay open, and who comes when too many are being written waits for a turn.
 */
import { type FileHandle, open } from 'node:fs/promises'

/** Being written at a time, and kept open. */
const turns = 16
const keptOpen = 64

export class AppendFiles {
  /** The one used last is the last. */
  readonly #open = new Map<string, FileHandle>()
  readonly #inUse = new Set<string>()
  readonly #waiting: (() => void)[] = []

  get openFiles(): number {
    return this.#open.size
  }

  /** Calls for one path do not overlap. */
  async append(path: string, bytes: Uint8Array): Promise<void> {
    if (this.#inUse.size >= turns) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#inUse.add(path)
    try {
      const file = this.#open.get(path) ?? (await open(path, 'a'))
      this.#open.delete(path)
      this.#open.set(path, file)
      await file.appendFile(bytes)
    } finally {
      this.#inUse.delete(path)
      this.#waiting.shift()?.()
    }
    await this.#closeSurplus()
  }

  async close(path: string): Promise<void> {
    const file = this.#open.get(path)
    this.#open.delete(path)
    await file?.close()
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((path) => this.close(path)))
  }

  async #closeSurplus(): Promise<void> {
    for (const path of this.#open.keys()) {
      if (this.#open.size <= keptOpen) return
      if (!this.#inUse.has(path)) await this.close(path)
    }
  }
}

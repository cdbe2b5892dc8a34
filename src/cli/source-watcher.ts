/**
 * Says when sources under some folders have changed. A burst of changes (editors write a file in several steps) counts
 * as one, told when it is over. Packages and hidden folders are not sources.
 */
import { type FSWatcher, watch } from 'node:fs'
import { sep } from 'node:path'

const burstMs = 100

export class SourceWatcher {
  readonly #roots: readonly string[]
  readonly #watchers: readonly FSWatcher[]
  /** Of folders outside of the roots, without what is below them. */
  #followed = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #changed: string | undefined
  #tell: ((file: string) => void) | undefined

  constructor(folders: Iterable<string>) {
    this.#roots = [...new Set(folders)]
    this.#watchers = this.#roots.map((folder) =>
      watch(folder, { recursive: true }, (_event, file) => this.#note(file ?? folder)),
    )
  }

  /** Watches these folders too, and no others that were named here before. */
  follow(folders: readonly string[]): void {
    const outside = folders.filter(
      (folder) => !this.#roots.some((root) => `${folder}${sep}`.startsWith(`${root}${sep}`)),
    )
    const followed = new Map<string, FSWatcher>()
    for (const folder of new Set(outside)) {
      followed.set(folder, this.#followed.get(folder) ?? watch(folder, (_event, file) => this.#note(file ?? folder)))
      this.#followed.delete(folder)
    }
    for (const watcher of this.#followed.values()) watcher.close()
    this.#followed = followed
  }

  /** Resolves with the name of a file of the next burst; at once when one was over since the last call. */
  next(): Promise<string> {
    const changed = this.#changed
    this.#changed = undefined
    return changed !== undefined
      ? Promise.resolve(changed)
      : new Promise((resolve) => {
          this.#tell = resolve
        })
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of [...this.#watchers, ...this.#followed.values()]) watcher.close()
  }

  #note(file: string): void {
    if (file.split(sep).some((part) => part === 'node_modules' || part.startsWith('.'))) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#burstOver(file), burstMs)
  }

  #burstOver(file: string): void {
    const tell = this.#tell
    this.#tell = undefined
    if (tell === undefined) this.#changed = file
    else tell(file)
  }
}

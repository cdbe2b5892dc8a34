/** A copy of the product and its machines, in which lines can be made wrong and right again. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Everything that the machines read; `node_modules` is linked. */
const COPIED = ['src', 'test', 'tools', 'examples', 'docs', 'bench', 'package.json', 'tsconfig.json']

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export class Copy {
  readonly root: string
  /** Where what runs in the copy puts its temporary files. */
  readonly temporary: string

  constructor() {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'perdure-sabotage-'))
    this.root = join(folder, 'copy')
    this.temporary = join(folder, 'tmp')
    mkdirSync(this.temporary)
    mkdirSync(this.root)
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.root, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'))
  }

  /** Makes the edits and returns what takes them back. Throws when the product has changed and an edit fits no more. */
  edit(edits: readonly Edit[]): () => void {
    const before = new Map<string, string>()
    for (const { file, find, replace } of edits) {
      const path = join(this.root, file)
      const text = readFileSync(path, 'utf8')
      if (!before.has(path)) before.set(path, text)
      const places = text.split(find).length - 1
      if (places !== 1) throw new Error(`${file} has ${places} places that read: ${find}`)
      writeFileSync(
        path,
        text.replace(find, () => replace),
      )
    }
    return () => {
      for (const [path, text] of before) writeFileSync(path, text)
    }
  }

  emptyTemporary(): void {
    rmSync(this.temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
    mkdirSync(this.temporary)
  }

  remove(): void {
    // What was killed a moment ago may still be leaving.
    rmSync(resolve(this.root, '..'), { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
  }
}

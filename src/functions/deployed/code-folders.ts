/**
 * Packages as folders that processes run in: each unpacked once, named after the hash of its zip, shared by all versions
 * with that code, and removed when no version names it and no process runs in it. The zips in the store are what counts:
 * a server starts without folders and makes those that it needs.
 */
import { renameSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CodeReference } from '../registry/record.ts'
import { readZip } from '../registry/zip.ts'

export interface CodeFolders {
  /** The folder is there from when the promise resolves until the release. */
  hold(code: CodeReference): HeldFolder
  /** The hashes that versions name from now on. */
  keepOnly(named: ReadonlySet<string>): void
}

export interface HeldFolder {
  readonly path: Promise<string>
  release(): void
}

interface Folder {
  readonly path: Promise<string>
  holders: number
}

/** `root` is emptied. `read` gives the bytes of a package. */
export async function openCodeFolders(
  root: string,
  read: (code: CodeReference) => Promise<Uint8Array>,
): Promise<CodeFolders> {
  await rm(root, { recursive: true, force: true })
  await mkdir(root, { recursive: true })
  // Packages without a package.json of their own must not be taken for parts of whatever project this folder lies in.
  await writeFile(join(root, 'package.json'), '{}')

  const folders = new Map<string, Folder>()
  let named: ReadonlySet<string> = new Set()
  let works = 0

  const unpack = async (code: CodeReference): Promise<string> => {
    const path = join(root, Buffer.from(code.sha256, 'base64').toString('hex'))
    const partial = `${path}.${works++}`
    try {
      await unpackInto(partial, await read(code))
      await rename(partial, path)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    }
    return path
  }
  const discardUnused = (sha256: string): void => {
    const folder = folders.get(sha256)
    if (folder === undefined || folder.holders > 0 || named.has(sha256)) return
    folders.delete(sha256)
    void folder.path.then(discard, () => {
      // It was never unpacked.
    })
  }
  /** Under another name first, and at once: the same package may be wanted again meanwhile. */
  const discard = (path: string): void => {
    const gone = `${path}.${works++}`
    try {
      renameSync(path, gone)
    } catch {
      // Somebody has removed it, or forbids it. This is a cache: the server goes on, and its next start empties it.
      return
    }
    rm(gone, { recursive: true, force: true }).catch(() => {
      // A process may have written there meanwhile. What is left goes when the server starts again.
    })
  }

  return {
    hold: (code) => {
      const { sha256 } = code
      let folder = folders.get(sha256)
      if (folder === undefined) {
        folder = { path: unpack(code), holders: 0 }
        folders.set(sha256, folder)
      }
      const held = folder
      held.holders += 1
      // What could not be unpacked is tried again by the next process.
      held.path.catch(() => {
        if (folders.get(sha256) === held) folders.delete(sha256)
      })
      return {
        path: held.path,
        release: () => {
          held.holders -= 1
          discardUnused(sha256)
        },
      }
    },
    keepOnly: (now) => {
      named = now
      for (const sha256 of [...folders.keys()]) discardUnused(sha256)
    },
  }
}

/** The files can be read and run by the function and not be changed, for others run them too. */
async function unpackInto(root: string, zip: Uint8Array): Promise<void> {
  await mkdir(root)
  const made = new Set([root])
  const folder = async (path: string): Promise<void> => {
    if (made.has(path)) return
    await mkdir(path, { recursive: true })
    made.add(path)
  }
  for await (const entry of readZip(zip)) {
    const path = join(root, entry.path)
    await folder(entry.kind === 'folder' ? path : dirname(path))
    if (entry.kind === 'file') await writeFile(path, entry.content(), { mode: entry.executable ? 0o555 : 0o444 })
    else if (entry.kind === 'link') await symlink(entry.target, path)
  }
}

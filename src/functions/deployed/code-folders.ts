/**
 * Packages as folders that processes run in: each unpacked once, named after the hash of its zip, shared by all versions
 * with that code, and removed when no version names it and no process runs in it. The layers of a version are one folder
 * too, named after their hashes in order. The zips in the store are what counts: a server starts without folders and
 * makes those that it needs.
 */
import { createHash } from 'node:crypto'
import { renameSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { basename, dirname } from 'node:path/posix'
import type { CodeReference } from '../registry/record.ts'
import { readZip } from '../registry/zip.ts'

export interface CodeFolders {
  /** One package, or several in one folder. It is there from when the promise resolves until the release. */
  hold(packages: Packages): HeldFolder
  /** A version names the packages: their folder stays, held or not, until it is let go as often as it was kept. */
  keep(packages: Packages): void
  letGo(packages: Packages): void
}

/** In order: of files with one path, that of the last package is there. */
export type Packages = readonly [CodeReference, ...CodeReference[]]

/** The name of the folder: it says what is in it. */
export function folderOf([{ sha256 }, ...others]: Packages): string {
  if (others.length === 0) return hexOf(sha256)
  return createHash('sha256')
    .update([sha256, ...others.map((each) => each.sha256)].join(' '))
    .digest('hex')
}

const hexOf = (sha256: string): string => Buffer.from(sha256, 'base64').toString('hex')

export interface HeldFolder {
  readonly path: Promise<string>
  release(): void
}

interface Unpacked {
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

  const folders = new Map<string, Unpacked>()
  /** How many versions name each, whether it is there or not. */
  const named = new Map<string, number>()
  let works = 0

  const unpack = async (name: string, packages: Packages): Promise<string> => {
    const path = join(root, name)
    const partial = `${path}.${works++}`
    try {
      await mkdir(partial)
      const tree: Folder = new Map()
      for (const code of packages) await unpackInto(partial, tree, await read(code))
      await rename(partial, path)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    }
    return path
  }
  const discardUnused = (name: string): void => {
    const folder = folders.get(name)
    if (folder === undefined || folder.holders > 0 || named.has(name)) return
    folders.delete(name)
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
    hold: (packages) => {
      const name = folderOf(packages)
      let folder = folders.get(name)
      if (folder === undefined) {
        folder = { path: unpack(name, packages), holders: 0 }
        folders.set(name, folder)
      }
      const held = folder
      held.holders += 1
      // What could not be unpacked is tried again by the next process.
      held.path.catch(() => {
        if (folders.get(name) === held) folders.delete(name)
      })
      return {
        path: held.path,
        release: () => {
          held.holders -= 1
          discardUnused(name)
        },
      }
    },
    keep: (packages) => {
      const name = folderOf(packages)
      named.set(name, (named.get(name) ?? 0) + 1)
    },
    letGo: (packages) => {
      const name = folderOf(packages)
      const left = (named.get(name) ?? 0) - 1
      if (left > 0) {
        named.set(name, left)
        return
      }
      named.delete(name)
      discardUnused(name)
    },
  }
}

/** What lies in a folder, by name. */
type Folder = Map<string, Folder | 'no folder'>

/**
 * The files can be read and run by the function and not be changed, for others run them too.
 *
 * A package is sound in itself (`zip.ts`), and two of them are when laid over each other as long as nothing is written
 * through a link: what is in the way of an entry goes first, unless both are folders.
 */
async function unpackInto(root: string, tree: Folder, zip: Uint8Array): Promise<void> {
  for await (const entry of readZip(zip)) {
    const path = join(root, entry.path)
    if (entry.kind === 'folder') {
      await folderAt(root, tree, entry.path)
      continue
    }
    const folder = await folderAt(root, tree, dirname(entry.path))
    const name = basename(entry.path)
    if (folder.has(name)) await rm(path, { recursive: true })
    if (entry.kind === 'file') await writeFile(path, entry.content(), { mode: entry.executable ? 0o555 : 0o444 })
    else await symlink(entry.target, path)
    folder.set(name, 'no folder')
  }
}

/** Makes it, and those above it. */
async function folderAt(root: string, tree: Folder, path: string): Promise<Folder> {
  let folder = tree
  let at = root
  for (const name of path === '.' ? [] : path.split('/')) {
    at = `${at}/${name}`
    const there = folder.get(name)
    if (there instanceof Map) {
      folder = there
      continue
    }
    if (there !== undefined) await rm(at)
    await mkdir(at)
    const made: Folder = new Map()
    folder.set(name, made)
    folder = made
  }
  return folder
}

/**
 * Reads a deployment package: the one place that looks into a zip, both when it is uploaded and when it is unpacked. The
 * bytes are a stranger's, so whoever writes what comes out of here to a folder need not look again:
 *
 * - paths are relative, without `..`, each is there once, and nothing lies below a file or a link;
 * - a link leads to a place inside the package, whatever other links it passes;
 * - there are files, folders and links and nothing else; no file holds more than its entry says, its checksum is right,
 *   and together they are no larger than the limit.
 *
 * Anything else is an `ApiError` with the texts of spec 02 §2.6.
 */
import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { type ApiError, invalidParameter } from '../../protocol/errors.ts'

export const DEPLOYMENT_LIMITS = {
  zippedBytes: 52_428_800,
  unzippedBytes: 262_144_000,
  /** Not of the real service: what a folder of files may ask of a file system. */
  entries: 100_000,
} as const

export interface ZipLimits {
  readonly unzippedBytes: number
  readonly entries: number
}

/** `content` throws when the bytes are not what the entry says, at the latest at its end. */
export type ZipEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly executable: boolean
      readonly content: () => AsyncGenerator<Buffer>
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

/** The entries in their order; a folder may come after what it holds, or not at all. Not to be read in parallel. */
export async function* readZip(bytes: Uint8Array, limits: ZipLimits = DEPLOYMENT_LIMITS): AsyncGenerator<ZipEntry> {
  const zip = await orBroken(fromBufferPromise(bufferOf(bytes), { lazyEntries: true }))
  if (zip.entryCount === 0) throw invalidParameter('Uploaded file must be a non-empty zip')
  if (zip.entryCount > limits.entries) throw brokenZip()
  const tree = new Tree()
  let unzippedBytes = 0
  const entries = zip.eachEntry()
  for (;;) {
    const next = await orBroken(entries.next())
    if (next.done === true) return
    unzippedBytes += next.value.uncompressedSize
    if (unzippedBytes > limits.unzippedBytes) throw tooLarge(limits.unzippedBytes)
    const entry = await entryOf(zip, next.value)
    // The root itself, which some archivers list.
    if (entry.kind === 'folder' && entry.path === '.') continue
    tree.add(entry)
    yield entry
  }
}

/** Reads a package to its end, so that one that was accepted can be unpacked; says how large its files are together. */
export async function checkZip(bytes: Uint8Array, limits: ZipLimits = DEPLOYMENT_LIMITS): Promise<number> {
  let unzippedBytes = 0
  for await (const entry of readZip(bytes, limits)) {
    if (entry.kind !== 'file') continue
    const pieces = entry.content()
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      unzippedBytes += next.value.length
    }
  }
  return unzippedBytes
}

export const brokenZip = (): ApiError =>
  invalidParameter('Could not unzip uploaded file. Please check your file, then try to upload again.')

const tooLarge = (bytes: number): ApiError => invalidParameter(`Unzipped size must be smaller than ${bytes} bytes`)

// --------------------------------------------------------------------------------------------------------- entries

const FILE_TYPE = 0o170000
const LINK = 0o120000
const FOLDER = 0o040000
const REGULAR = 0o100000
const ANY_EXECUTE = 0o111
/** A path that a link leads to; longer ones no file system takes. */
const LINK_BYTES = 4_096

async function entryOf(zip: ZipFile, entry: Entry): Promise<ZipEntry> {
  const path = pathOf(entry)
  // Zips that were not made on a Unix carry no mode.
  const mode = entry.externalFileAttributes >>> 16
  const type = mode & FILE_TYPE
  if (entry.fileName.endsWith('/') || type === FOLDER) return { kind: 'folder', path }
  if (path === '.') throw brokenZip()
  if (!entry.canDecodeFileData() || ![0, REGULAR, LINK].includes(type)) throw brokenZip()
  if (type === LINK) {
    if (entry.uncompressedSize > LINK_BYTES) throw brokenZip()
    const target = await textOf(contentOf(zip, entry))
    requireInside(path, target)
    return { kind: 'link', path, target }
  }
  return { kind: 'file', path, executable: (mode & ANY_EXECUTE) !== 0, content: () => contentOf(zip, entry) }
}

/** That it is neither absolute nor leads upward was seen to by the library. */
function pathOf({ fileName }: Entry): string {
  if (fileName === '' || fileName.includes('\0')) throw brokenZip()
  // `./index.mjs` and doubled slashes are what some archivers write.
  return posix.normalize(fileName).replace(/\/$/, '')
}

/**
 * A link may lead upward only at its beginning, from folders that are none themselves, and never above the root. What
 * follows goes through folders and other links, which all lead inside.
 */
function requireInside(path: string, target: string): void {
  const segments = target.split('/').filter((segment) => segment !== '' && segment !== '.')
  const firstDown = segments.findIndex((segment) => segment !== '..')
  const up = firstDown < 0 ? segments.length : firstDown
  const depth = path.split('/').length - 1
  const legal =
    target !== '' &&
    !target.startsWith('/') &&
    !/[\0\\]/.test(target) &&
    up <= depth &&
    !segments.slice(up).includes('..')
  if (!legal) throw brokenZip()
}

/** The bytes of a file, piece by piece. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> = await orBroken(zip.openReadStreamPromise(entry))
  const pieces = stream[Symbol.asyncIterator]()
  try {
    let sum = 0
    for (;;) {
      const next = await orBroken(pieces.next())
      if (next.done === true) break
      sum = crc32(next.value, sum)
      yield next.value
    }
    if (sum !== entry.crc32) throw brokenZip()
  } finally {
    await pieces.return?.()
  }
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString()
}

/** Whatever the library says is wrong with a zip, the user is told in the words of the service. */
async function orBroken<Value>(reading: Promise<Value>): Promise<Value> {
  try {
    return await reading
  } catch {
    throw brokenZip()
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What has been seen: every path once, and nothing below what is no folder. */
class Tree {
  /** Folders, named or implied, are there with `true`; files and links with `false`. */
  readonly #isFolder = new Map<string, boolean>()

  add({ kind, path }: ZipEntry): void {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      this.#note(path.slice(0, slash), true)
    }
    this.#note(path, kind === 'folder')
  }

  #note(path: string, isFolder: boolean): void {
    const known = this.#isFolder.get(path)
    if (known !== undefined && !(known && isFolder)) throw brokenZip()
    this.#isFolder.set(path, isFolder)
  }
}

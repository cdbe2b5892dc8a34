/**
 * A zip whose bytes follow from its files alone, so that the same source is the same package wherever and whenever it is
 * made: entries in the order of their names, one time for all of them, two modes. (Libraries write the times of this
 * machine in its own zone.) Folders are implied by what is in them.
 *
 * No ZIP64: a package has far less than 4 GB and 65,535 files, which is looked at.
 */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipFile {
  /** With `/`, relative. */
  readonly path: string
  readonly content: Uint8Array
  readonly executable: boolean
}

const LEVEL = 9
const MAX_FILES = 65_535
/** The first moment that the format knows: 1 January 1980. */
const DOS_DATE = 0x21
const UTF8_NAMES = 0x800
const STORED = 0
const DEFLATED = 8
const MADE_BY_UNIX = 3
const VERSION = 20
const REGULAR_FILE = 0o100000

/** Throws a RangeError when there are too many files. */
export function writeZip(files: readonly ZipFile[]): Buffer {
  if (files.length > MAX_FILES) throw new RangeError(`${files.length} files are more than a zip holds`)
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const deflated = deflateRawSync(file.content, { level: LEVEL })
    const smaller = deflated.length < file.content.length
    const data = smaller ? deflated : Buffer.from(file.content)
    const name = Buffer.from(file.path)
    const fields = commonFields(file, name, data.length, smaller ? DEFLATED : STORED)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, data])
    directory.push(directoryEntry(file, fields, name, offset))
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  return Buffer.concat([...locals, central, endOf(files.length, central.length, offset)])
}

/** The 26 bytes that a file's own header and its entry in the directory have in common. */
function commonFields({ content }: ZipFile, name: Buffer, dataLength: number, method: number): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(VERSION, 0)
  fields.writeUInt16LE(UTF8_NAMES, 2)
  fields.writeUInt16LE(method, 4)
  fields.writeUInt16LE(DOS_DATE, 8)
  fields.writeUInt32LE(crc32(content), 10)
  fields.writeUInt32LE(dataLength, 14)
  fields.writeUInt32LE(content.length, 18)
  fields.writeUInt16LE(name.length, 22)
  return fields
}

function directoryEntry({ executable }: ZipFile, fields: Buffer, name: Buffer, offset: number): Buffer {
  const mode = REGULAR_FILE | (executable ? 0o755 : 0o644)
  const tail = Buffer.alloc(14)
  tail.writeUInt32LE((mode << 16) >>> 0, 6)
  tail.writeUInt32LE(offset, 10)
  const madeBy = Buffer.from([VERSION, MADE_BY_UNIX])
  return Buffer.concat([Buffer.from('PK\x01\x02'), madeBy, fields, tail, name])
}

function endOf(count: number, directoryLength: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(directoryLength, 12)
  end.writeUInt32LE(directoryOffset, 16)
  return end
}

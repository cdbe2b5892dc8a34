import type { FileHandle } from 'node:fs/promises'

const blockBytes = 262_144
const newline = 0x0a

/** The lines of a file from the last to the first. */
export async function* linesBackward(file: FileHandle): AsyncGenerator<Buffer> {
  let position = (await file.stat()).size
  /** The beginning of a line whose end was in later blocks. */
  let rest: Buffer[] = []
  while (position > 0) {
    const length = Math.min(blockBytes, position)
    position -= length
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
    const block = buffer.subarray(0, bytesRead)
    let end = block.byteLength
    for (let at = block.lastIndexOf(newline); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(newline, at - 1)) {
      const line =
        rest.length === 0 ? block.subarray(at + 1, end) : Buffer.concat([block.subarray(at + 1, end), ...rest])
      rest = []
      end = at
      if (line.byteLength > 0) yield line
    }
    rest.unshift(block.subarray(0, end))
  }
  const first = Buffer.concat(rest)
  if (first.byteLength > 0) yield first
}

import type { FileHandle } from 'node:fs/promises'

const blockBytes = 262_144
const newline = 0x0a

/** The whole lines of a file from an offset, where one begins, to its end as it is now, with the bytes behind each. */
export async function* linesForward(file: FileHandle, from: number): AsyncGenerator<Buffer> {
  const { size } = await file.stat()
  let position = from
  /** The beginning of a line whose end is in later blocks. */
  let rest: Buffer[] = []
  while (position < size) {
    const length = Math.min(blockBytes, size - position)
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
    // Cut off meanwhile.
    if (bytesRead === 0) return
    position += bytesRead
    const block = buffer.subarray(0, bytesRead)
    let start = 0
    for (let end = block.indexOf(newline); end !== -1; end = block.indexOf(newline, start)) {
      yield rest.length === 0 ? block.subarray(start, end) : Buffer.concat([...rest, block.subarray(start, end)])
      rest = []
      start = end + 1
    }
    if (start < block.byteLength) rest.push(block.subarray(start))
  }
}

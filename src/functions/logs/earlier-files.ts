/** Turns a file of an earlier version, whose records have no positions, into a segment. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { LogRecord } from '../../service/ports.ts'
import { lineOf } from './log-record.ts'
import { lowestAt } from './positions.ts'
import { type Segment, segmentPath } from './segments.ts'

/**
 * Undefined: it held no records. The positions follow from the file and `after` alone, so that a conversion that was
 * broken off is repeated to the same end.
 */
export async function convertEarlier(
  path: string,
  { directory, name, after }: { readonly directory: string; readonly name: string; readonly after: number },
): Promise<Segment | undefined> {
  let last = after
  let first: number | undefined
  const lines = (await readFile(path, 'utf8')).split('\n').map((text) => {
    const record = parse(text)
    if (record === undefined) return ''
    last = Math.max(last + 1, lowestAt(record.at))
    first ??= last
    return lineOf(record, last)
  })
  if (first === undefined) {
    await rm(path)
    return undefined
  }
  const segment = segmentPath(directory, name, first)
  const text = Buffer.from(lines.join(''))
  await writeFile(`${segment}.part`, text)
  await rename(`${segment}.part`, segment)
  await rm(path)
  return { path: segment, first, last, bytes: text.byteLength, torn: false }
}

function parse(text: string): LogRecord | undefined {
  try {
    const record = JSON.parse(text) as LogRecord
    return typeof record.at === 'number' && typeof record.line === 'string' ? record : undefined
  } catch {
    // The end of the file, or a line that broke off.
    return undefined
  }
}

/** Reads the trace that `shim.c` writes; its header says what the records mean. */

export type Operation =
  /** A file that was not there before has this name now. */
  | { readonly kind: 'created'; readonly path: string; readonly file: bigint }
  | {
      readonly kind: 'written'
      readonly path: string
      readonly file: bigint
      readonly at: number
      readonly data: Buffer
    }
  | { readonly kind: 'truncated'; readonly path: string; readonly file: bigint; readonly size: number }
  | { readonly kind: 'syncing' | 'synced'; readonly path: string; readonly file: bigint }
  | { readonly kind: 'unlinked' | 'madeDirectory' | 'removedDirectory'; readonly path: string }
  | { readonly kind: 'renamed'; readonly path: string; readonly to: string; readonly file: bigint }
  /** The beginning of an HTTP response on its way out. */
  | { readonly kind: 'answered'; readonly head: string }

export type TraceRecord = Operation & {
  /** Thread ids are unique in the system while the thread lives. */
  readonly thread: number
  readonly process: number
  /** Unless 0 the call failed with this errno: it was injected, or a sync failed by itself. */
  readonly errno: number
}

const MAGIC = 0x31534c50
const HEADER_BYTES = 56
const KINDS = [
  undefined,
  'created',
  'written',
  'truncated',
  'syncing',
  'synced',
  'unlinked',
  'renamed',
  'madeDirectory',
  'removedDirectory',
  'mapped',
  'answered',
] as const

/** The whole records at the beginning of `trace`; what a killed process left of its last one is not among them. */
export function readTrace(trace: Buffer): TraceRecord[] {
  const records: TraceRecord[] = []
  for (let at = 0; at + HEADER_BYTES <= trace.length; ) {
    if (trace.readUInt32LE(at) !== MAGIC) throw new Error(`the trace has no record at ${at}`)
    const pathEnd = at + HEADER_BYTES + trace.readUInt32LE(at + 12)
    const end = pathEnd + trace.readUInt32LE(at + 48)
    if (end > trace.length) break
    records.push({
      ...operationOf(trace.subarray(at, at + HEADER_BYTES), {
        path: trace.toString('utf8', at + HEADER_BYTES, pathEnd),
        data: trace.subarray(pathEnd, end),
      }),
      thread: trace.readUInt32LE(at + 8),
      process: trace.readUInt32LE(at + 52),
      errno: Math.max(0, -Number(trace.readBigInt64LE(at + 40))),
    })
    at = end
  }
  return records
}

function operationOf(header: Buffer, { path, data }: { path: string; data: Buffer }): Operation {
  const kind = KINDS[header.readUInt32LE(4)]
  const file = header.readBigUInt64LE(16)
  const offset = Number(header.readBigInt64LE(24))
  switch (kind) {
    case 'created':
    case 'syncing':
    case 'synced':
      return { kind, path, file }
    case 'written':
      return { kind, path, file, at: offset, data }
    case 'truncated':
      return { kind, path, file, size: offset }
    case 'unlinked':
    case 'madeDirectory':
    case 'removedDirectory':
      return { kind, path }
    case 'renamed': {
      const [from = '', to = ''] = path.split('\0')
      return { kind, path: from, to, file }
    }
    case 'answered':
      return { kind, head: data.toString('latin1') }
    case 'mapped':
      throw new Error(`${path} was mapped to be written: the shim cannot see what is written`)
    case undefined:
      throw new Error(`the trace holds an unknown operation ${header.readUInt32LE(4)}`)
  }
}

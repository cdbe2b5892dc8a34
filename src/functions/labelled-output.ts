/** Reads what a process of several invocations sends over its labelled line (`bootstrap/current-invocation.ts`). */
export interface LabelledOutput {
  /** `requestId` undefined: printed outside any invocation. */
  readonly printed: (stream: 'stdout' | 'stderr', requestId: string | undefined, bytes: Buffer) => void
  /** The process ends because of this invocation. */
  readonly culprit: (requestId: string) => void
}

const newline = 0x0a
/** No header is longer; a process that sends anything else is not ours to understand. */
const maxHeaderBytes = 256

/** Returns what takes the line's chunks. */
export function createLabelledReader(output: LabelledOutput): (chunk: Buffer) => void {
  let header = ''
  let frame: { stream: 'stdout' | 'stderr'; requestId: string | undefined; left: number } | undefined
  let broken = false

  const begin = (): void => {
    const [kind, requestId = '', bytes] = header.split(' ')
    header = ''
    const left = Number(bytes)
    if (kind === 'x') output.culprit(requestId)
    else if ((kind === '1' || kind === '2') && Number.isSafeInteger(left) && left >= 0) {
      frame = {
        stream: kind === '1' ? 'stdout' : 'stderr',
        requestId: requestId === '-' ? undefined : requestId,
        left,
      }
      if (left === 0) frame = undefined
    } else broken = true
  }

  return (chunk) => {
    let at = 0
    while (at < chunk.byteLength && !broken) {
      if (frame === undefined) {
        const end = chunk.indexOf(newline, at)
        header += chunk.toString('latin1', at, end === -1 ? undefined : end)
        at = end === -1 ? chunk.byteLength : end + 1
        if (end !== -1) begin()
        else if (header.length > maxHeaderBytes) broken = true
      } else {
        const bytes = chunk.subarray(at, at + frame.left)
        output.printed(frame.stream, frame.requestId, bytes)
        at += bytes.byteLength
        frame.left -= bytes.byteLength
        if (frame.left === 0) frame = undefined
      }
    }
  }
}

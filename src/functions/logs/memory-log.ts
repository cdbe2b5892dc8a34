import type { LoggedRecord, LogRecord } from '../../service/ports.ts'
import type { FunctionLog, Looked } from './function-log.ts'
import type { Positions } from './positions.ts'

const recordBytes = 200
const sizeOf = ({ line }: LogRecord): number => line.length + recordBytes

/** A function's log that ends with the server, and forgets its oldest records. */
export class MemoryLog implements FunctionLog {
  readonly name: string
  readonly #positions: Positions
  readonly #maxBytes: number
  readonly #resized: (bytes: number) => void
  readonly #records: LoggedRecord[] = []
  #bytes = 0

  /** `resized` is told by how much the log has grown or become smaller. */
  constructor(name: string, positions: Positions, maxBytes: number, resized: (bytes: number) => void) {
    this.name = name
    this.#positions = positions
    this.#maxBytes = maxBytes
    this.#resized = resized
  }

  get bytes(): number {
    return this.#bytes
  }

  get newest(): number | undefined {
    return this.#records.at(-1)?.position
  }

  get oldest(): number | undefined {
    return this.#records[0]?.position
  }

  append(record: LogRecord): void {
    this.#records.push({ position: this.#positions.next(record.at), ...record })
    this.#bytes += sizeOf(record)
    this.#resized(sizeOf(record))
    if (this.#bytes > this.#maxBytes) this.forgetQuarter()
  }

  /** At once, so that the array is moved rarely. */
  forgetQuarter(): void {
    const before = this.#bytes
    const keep = before * 0.75
    let forgotten = 0
    for (const oldest of this.#records) {
      if (this.#bytes <= keep) break
      this.#bytes -= sizeOf(oldest)
      forgotten += 1
    }
    this.#records.splice(0, forgotten)
    this.#resized(this.#bytes - before)
  }

  async written(): Promise<void> {}

  async *forward(after: number): AsyncGenerator<Looked> {
    // By position, not by index: what is old may be forgotten between two of them.
    for (let at = after; ; ) {
      const record = this.#records[this.#firstBeyond(at)]
      if (record === undefined) return
      at = record.position
      yield { position: at, bytes: sizeOf(record), record }
    }
  }

  async *backward(before: number): AsyncGenerator<Looked> {
    for (let at = before; ; ) {
      const record = this.#records[this.#firstBeyond(at - 1) - 1]
      if (record === undefined) return
      at = record.position
      yield { position: at, bytes: sizeOf(record), record }
    }
  }

  async close(): Promise<void> {}

  #firstBeyond(position: number): number {
    let [low, high] = [0, this.#records.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#records[middle]?.position ?? 0) > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The bytes of one file, changed as the kernel changes them: a write behind the end leaves zeros, so does growing. */

export type Change =
  | { readonly kind: 'write'; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'resize'; readonly size: number }

export class Content {
  #bytes: Buffer
  #size: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  /** A view: true until the next change. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size)
  }

  copy(): Content {
    return new Content(Buffer.from(this.bytes))
  }

  apply(change: Change): void {
    if (change.kind === 'resize') {
      this.#resize(change.size)
      return
    }
    this.#resize(Math.max(this.#size, change.at + change.data.length))
    change.data.copy(this.#bytes, change.at)
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2))
      this.bytes.copy(larger)
      this.#bytes = larger
    } else if (size > this.#size) {
      this.#bytes.fill(0, this.#size, size)
    }
    this.#size = size
  }
}

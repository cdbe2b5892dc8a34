/**
 * A block of lines at the bottom of a terminal that is drawn again in place. The block must fit the screen: a cursor
 * cannot go above its top, so whoever draws keeps it below the terminal's height.
 */
export class LiveBlock {
  readonly #write: (text: string) => void
  #lines = 0

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  draw(lines: readonly string[]): void {
    this.#write(`${this.#eraseCode()}${lines.join('\n')}\n`)
    this.#lines = lines.length
  }

  /** Takes the block away, so that other lines can be printed above the next drawing. */
  erase(): void {
    this.#write(this.#eraseCode())
    this.#lines = 0
  }

  /** Cursor to the start of the block's first line, then clear to the end of the screen. */
  #eraseCode(): string {
    return this.#lines === 0 ? '' : `\x1b[${this.#lines}A\r\x1b[J`
  }
}

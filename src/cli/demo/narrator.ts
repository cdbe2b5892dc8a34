/**
 * What the demo says. While an execution is watched its tree owns the bottom of the screen, so lines are kept until
 * the watcher takes them; otherwise they are printed at once.
 */
import type { Terminal } from '../terminal.ts'

export class Narrator {
  readonly #terminal: Terminal
  readonly #kept: string[] = []
  #watching = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  say(line: string): void {
    if (this.#watching) this.#kept.push(line)
    else this.#terminal.out(line)
  }

  /** Something that the demo does to the system, rather than something about it. */
  act(line: string): void {
    this.say(this.#terminal.paint('bold', `» ${line}`))
  }

  /** Keeps lines back until `done`. */
  async whileWatching<T>(watch: (takeNotes: () => readonly string[]) => Promise<T>): Promise<T> {
    this.#watching = true
    try {
      return await watch(() => this.#kept.splice(0))
    } finally {
      this.#watching = false
      for (const line of this.#kept.splice(0)) this.#terminal.out(line)
    }
  }
}

/** Lets a number of tasks run at a time, in the order they came. */
export class Limit {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(tasks: number) {
    this.#free = tasks
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}

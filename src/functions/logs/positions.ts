/** Gives every record of a server its position (`LoggedRecord`): a clock that never stands still and never goes back. */
export class Positions {
  #last: number

  /** `last`: the largest that there is already. */
  constructor(last: number) {
    this.#last = last
  }

  get last(): number {
    return this.#last
  }

  next(at: number): number {
    this.#last = Math.max(this.#last + 1, lowestAt(at))
    return this.#last
  }

  /** None up to here is given any more. */
  reached(position: number): void {
    this.#last = Math.max(this.#last, position)
  }
}

/** No record of this time or later has a lower position. */
export const lowestAt = (at: number): number => Math.max(0, Math.floor(at * 1_000))

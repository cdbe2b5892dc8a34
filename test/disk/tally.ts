/** What the machine has seen: figures by name, checks that held, and those that did not, in words. */
export class Tally {
  readonly figures = new Map<string, number>()
  readonly failures: string[] = []
  passed = 0

  count(figure: string, by = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + by)
  }

  check(holds: boolean, words: string): void {
    if (holds) this.passed += 1
    else {
      this.failures.push(words)
      console.error(`FAILED: ${words}`)
    }
  }
}

/**
 * What an operator declared cannot be served. The message says the cause, then the consequence, then the fix, each on
 * a line of its own, so that the command line can print it as it is.
 */
export class DeclarationError extends Error {
  constructor(cause: string, consequence: string, fix: string) {
    super(`${cause}\n${consequence}\n${fix}`)
    this.name = 'DeclarationError'
  }
}

/** States what must hold; a failure is a defect of Perdure and answered as an internal error. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Invariant violated: ${what}`)
}

/** The order that the demo places, and what its run must leave in the ledger. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CliFailure } from '../failure.ts'

/** The file that declares the functions of `examples/`. */
export function examplesConfig(): string {
  const file = fileURLToPath(new URL('../../../examples/perdure.config.ts', import.meta.url))
  if (existsSync(file)) return file
  throw new CliFailure({
    cause: `the examples are not there: ${file} is missing`,
    consequence: 'there is nothing to demonstrate',
    fix: 'run the demo in a clone of the repository',
  })
}

export const APPROVER = 'Grace'

const lines = [
  { sku: 'teapot', quantity: 1, price: 34.5 },
  { sku: 'cup', quantity: 4, price: 8.25 },
  { sku: 'kettle', quantity: 1, price: 59 },
]

export const EXPECTED_STEPS: readonly string[] = [
  'validate',
  'reserve stock',
  'fraud check',
  'inventory check',
  ...lines.map(({ sku }) => `pack ${sku}`),
  'authorise card',
  'capture',
  'ship',
]

/** The step that runs alone when two of the three lines are packed. */
export const LAST_PACKING = `pack ${lines.at(-1)?.sku}`

export const orderPayload = (orderId: string): string => JSON.stringify({ orderId, customer: 'Ada', lines })

/** A name that no earlier run has: the time in base 36. */
export const orderName = (nowMs: number): string => `order-${nowMs.toString(36)}`

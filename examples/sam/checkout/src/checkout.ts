/** An order: its tax from another function, in another language; a pause; the bill. */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'
import { total } from './total.ts'

export interface Line {
  readonly sku: string
  readonly quantity: number
  readonly price: number
}

export interface Order {
  readonly lines: readonly Line[]
}

export interface Bill {
  readonly stage: string
  readonly net: number
  readonly tax: number
  readonly currency: string
  readonly needsApproval: boolean
}

const { STAGE = '', TAX_FUNCTION = '', APPROVE_ABOVE = '0' } = process.env

export const handler = withDurableExecution<Order, Bill>(async ({ lines }, context) => {
  const net = await context.step('add up', async () => total(lines))
  const { tax, currency } = await context.invoke<{ net: number }, { tax: number; currency: string }>(
    'tax',
    `${TAX_FUNCTION}:$LATEST`,
    { net },
  )
  await context.wait('settle', { seconds: 1 })
  return await context.step('bill', async () => ({
    stage: STAGE,
    net,
    tax,
    currency,
    needsApproval: net > Number(APPROVE_ABOVE),
  }))
})

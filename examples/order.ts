/**
 * A realistic order: validate, reserve stock (the warehouse is busy at first), check fraud and inventory side by side,
 * pack every line, take the payment through another durable function, let the parcel rest, ask a human, ship.
 *
 * The function may be stopped anywhere, by a crash or because it waits; it then runs again from its first line, and
 * every step that has finished gives its stored result instead of running.
 */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'
import type { Payment, PaymentRequest } from './payment.ts'
import type { Receipt, ReceiptRequest } from './receipt.ts'
import { recordedStep } from './world/recorded-step.ts'
import { work } from './world/work.ts'

export interface OrderLine {
  readonly sku: string
  readonly quantity: number
  readonly price: number
}

export interface Order {
  readonly orderId: string
  readonly customer: string
  readonly lines: readonly OrderLine[]
}

export interface OrderResult {
  readonly orderId: string
  readonly paid: number
  readonly approvedBy: string
  readonly tracking: string
  readonly parcels: readonly string[]
}

export const handler = withDurableExecution<Order, OrderResult>(async (order, context) => {
  await recordedStep(context, 'validate', async () => {
    if (order.lines.length === 0) throw new Error('an order needs at least one line')
  })

  await recordedStep(context, 'reserve stock', async (attempt) => {
    if (attempt === 1) throw new Error('the warehouse is busy')
    return await work(120, `reservation-${order.orderId}`)
  })

  const checks = await context.parallel('checks', [
    { name: 'fraud', func: (branch) => recordedStep(branch, 'fraud check', () => work(250, 'low risk')) },
    { name: 'inventory', func: (branch) => recordedStep(branch, 'inventory check', () => work(180, 'in stock')) },
  ])
  checks.throwIfError()

  const packing = await context.map(
    'pack lines',
    [...order.lines],
    (item, line) => recordedStep(item, `pack ${line.sku}`, () => work(500, `parcel-${line.sku}`)),
    { maxConcurrency: 2, itemNamer: (line) => line.sku },
  )
  packing.throwIfError()

  const request: ReceiptRequest = { orderId: order.orderId, customer: order.customer, lines: order.lines }
  const receipt = await context.invoke<ReceiptRequest, Receipt>('write receipt', 'receipt', request)

  const payment = await context.invoke<PaymentRequest, Payment>('take payment', 'payment:$LATEST', {
    orderId: order.orderId,
    amount: receipt.total,
  })

  await context.wait('let it rest', { seconds: 2 })

  const approvedBy = await context.waitForCallback(
    'approval',
    async () => {
      // Here a mail or a chat message with the callback id would go out to somebody who may approve.
    },
    { timeout: { hours: 24 } },
  )

  const tracking = await recordedStep(context, 'ship', () => work(300, `TRACK-${order.orderId}`))

  return { orderId: order.orderId, paid: payment.captured, approvedBy, tracking, parcels: packing.getResults() }
})

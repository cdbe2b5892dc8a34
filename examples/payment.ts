/**
 * A durable function that other workflows call: it authorises a card, waits for the bank to settle, captures.
 *
 * A step whose process dies before its result is stored runs again. That is why money moves under an idempotency key:
 * the bank sees the same key twice and charges once.
 */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'
import { recordedStep } from './world/recorded-step.ts'
import { work } from './world/work.ts'

export interface PaymentRequest {
  readonly orderId: string
  readonly amount: number
}

export interface Payment {
  readonly paymentId: string
  readonly captured: number
}

/** A bank that does the same request under the same key only once. */
const bank = {
  hold: (key: string, amount: number) => work(150, { key, amount }),
  capture: (hold: { readonly key: string; readonly amount: number }) => work(600, hold.amount),
}

export const handler = withDurableExecution<PaymentRequest, Payment>(async (request, context) => {
  const key = `pay-${request.orderId}`
  const hold = await recordedStep(context, 'authorise card', () => bank.hold(key, request.amount))

  await context.wait('bank settles', { seconds: 1 })

  const captured = await recordedStep(context, 'capture', () => bank.capture(hold))
  return { paymentId: key, captured }
})

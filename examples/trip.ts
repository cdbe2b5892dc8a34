/**
 * A saga: book a flight, a hotel and a car; when one booking fails for good, undo the earlier ones, newest first.
 * Every undo is a step too, so a crash in the middle of undoing loses nothing.
 */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

export interface Trip {
  readonly traveller: string
  /** Makes this booking fail, to see the undoing: `hotel` or `car`. */
  readonly fails?: string
}

export interface TripResult {
  readonly booked: readonly string[]
  readonly undone: readonly string[]
}

const bookings = ['flight', 'hotel', 'car']

export const handler = withDurableExecution<Trip, TripResult>(async (trip, context) => {
  const booked: string[] = []
  try {
    for (const booking of bookings) {
      await context.step(
        `book ${booking}`,
        async () => {
          if (trip.fails === booking) throw new Error(`no ${booking} left for ${trip.traveller}`)
        },
        { retryStrategy: () => ({ shouldRetry: false }) },
      )
      booked.push(booking)
    }
    return { booked, undone: [] }
  } catch (error) {
    context.logger.warn('undoing the trip', { reason: String(error) })
    const undone: string[] = []
    for (const booking of booked.reverse()) {
      await context.step(`cancel ${booking}`, async () => undefined)
      undone.push(booking)
    }
    return { booked: [], undone }
  }
})

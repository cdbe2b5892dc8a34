/**
 * Scheduled child work: every night, at two, run another durable function and go on whatever became of it. The schedule is
 * an execution like any other: you can look at it, and you end it with `perdure executions stop`.
 *
 * It ends after a number of nights, because an execution has a history, and that must not grow for ever. Whoever needs the
 * schedule for longer starts the next one by a new name, such as that of the next month.
 */
import { InvokeError, withDurableExecution } from '@aws/durable-execution-sdk-js'
import type { Report, ReportRequest } from './report.ts'

export interface Schedule {
  readonly nights: number
}

export interface Nights {
  readonly made: readonly string[]
  readonly failed: number
}

const hourUtc = 2

export const handler = withDurableExecution<Schedule, Nights>(async ({ nights }, context) => {
  const made: string[] = []
  for (let night = 1; night <= nights; night++) {
    // What time it is differs from one replay to the next: ask for it in a step.
    const seconds = await context.step(`when ${night}`, async () => secondsUntil(hourUtc, new Date()))
    await context.wait(`until night ${night}`, { seconds })

    const request: ReportRequest = { period: `night-${night}` }
    try {
      const report = await context.invoke<ReportRequest, Report>(`report ${night}`, 'report:$LATEST', request)
      made.push(report.url)
    } catch (error) {
      if (!(error instanceof InvokeError)) throw error
      context.logger.warn('no report tonight', { night, reason: error.message })
    }
  }
  return { made, failed: nights - made.length }
})

/** Seconds from `now` to the next time that it is this hour, in UTC; at least one. */
export function secondsUntil(hour: number, now: Date): number {
  const next = new Date(now)
  next.setUTCHours(hour, 0, 0, 0)
  if (next <= now) next.setUTCDate(next.getUTCDate() + 1)
  return Math.max(1, Math.ceil((next.getTime() - now.getTime()) / 1000))
}

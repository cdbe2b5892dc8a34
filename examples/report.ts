/**
 * Polling: ask another system for something that takes a while, then look again and again, less often each time. Between
 * two looks no process is needed. What was seen last is the state that the next look gets.
 */
import { createWaitStrategy, withDurableExecution } from '@aws/durable-execution-sdk-js'

export interface ReportRequest {
  /** What it is about: a month, a night. */
  readonly period: string
  /** How many looks it takes until the report is there. */
  readonly looks?: number
}

export interface Report {
  readonly jobId: string
  readonly url: string
}

interface Progress {
  readonly looks: number
  readonly url?: string
}

export const handler = withDurableExecution<ReportRequest, Report>(async (request, context) => {
  const jobId = await context.step('order the report', async () => `report-${request.period}`)

  const progress = await context.waitForCondition<Progress>(
    'until it is there',
    async (last) => look(jobId, last, request),
    {
      initialState: { looks: 0 },
      waitStrategy: createWaitStrategy({
        shouldContinuePolling: ({ url }) => url === undefined,
        maxAttempts: 50,
        initialDelay: { seconds: 2 },
        backoffRate: 2,
        maxDelay: { minutes: 5 },
      }),
    },
  )

  return { jobId, url: progress.url ?? '' }
})

/** Stands for a request to the system that makes the report. */
async function look(jobId: string, last: Progress, { looks = 3 }: ReportRequest): Promise<Progress> {
  const seen = last.looks + 1
  return seen < looks ? { looks: seen } : { looks: seen, url: `https://reports.example/${jobId}.pdf` }
}

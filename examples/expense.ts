/**
 * An approval with reminders. One branch waits for a human, the other reminds them; whichever ends first decides, and the
 * other one is left behind. The link in the first mail stays good to the end: it is the same callback all the time.
 */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

export interface Expense {
  readonly employee: string
  readonly amount: number
  /** Between two reminders. Default: a day. */
  readonly remindAfterSeconds?: number
}

export interface Decision {
  /** What the approver sent, or `nobody answered`. */
  readonly decision: string
  readonly paid: number
}

const reminders = 3
const daySeconds = 86_400

export const handler = withDurableExecution<Expense, Decision>(async (expense, context) => {
  const seconds = expense.remindAfterSeconds ?? daySeconds

  const approval = await context.parallel<string>(
    'approval',
    [
      {
        name: 'human',
        func: (branch) =>
          branch.waitForCallback('decision', async (callbackId, { logger }) => {
            logger.info('mail: please decide', { employee: expense.employee, callbackId })
          }),
      },
      {
        name: 'reminders',
        func: async (branch) => {
          for (let reminder = 1; reminder <= reminders; reminder++) {
            await branch.wait(`patience ${reminder}`, { seconds })
            await branch.step(`remind ${reminder}`, async ({ logger }) => {
              logger.info('mail: you have not decided yet', { employee: expense.employee, reminder })
            })
          }
          await branch.wait('last patience', { seconds })
          return 'nobody answered'
        },
      },
    ],
    { completionConfig: { minSuccessful: 1 } },
  )
  const [decision = 'nobody answered'] = approval.getResults()

  if (decision !== 'approved') return { decision, paid: 0 }
  const paid = await context.step('pay', async () => expense.amount)
  return { decision, paid }
})

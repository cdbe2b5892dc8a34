/**
 * A durable function that reaches its server without the AWS SDK: `durableClient` is all that the durable SDK needs.
 * Outside of this repository the import is `from 'perdure/client'`.
 */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'
import { durableClient } from '../src/client/index.ts'

interface Countdown {
  readonly from: number
}

const durableExecutionClient = durableClient()

export const handler = withDurableExecution<Countdown, string>(
  async (event, context) => {
    const said: string[] = []
    for (let n = event.from; n > 0; n -= 1) said.push(await context.step(`say ${n}`, async () => String(n)))
    await context.wait('hold breath', { seconds: 1 })
    return [...said, 'go'].join(', ')
  },
  { durableExecutionClient },
)

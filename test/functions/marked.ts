/** Handlers that mark their start and their end in a ledger that no server touches. */
import { appendFileSync } from 'node:fs'
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

const mark = (...words: readonly (string | number)[]): void => {
  appendFileSync(process.env['LEDGER'] ?? '', `${words.join(' ')}\n`)
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

interface Named {
  readonly name: string
}

interface Context {
  readonly awsRequestId: string
}

/** From the first line of an invocation to its last: what a concurrency bounds. */
async function marked(name: string, requestId: string, work: () => Promise<unknown>): Promise<void> {
  mark('start', requestId, name, process.pid)
  await work()
  mark('end', requestId, name)
}

export const durable = withDurableExecution(async ({ name }: Named, context: DurableContext) => {
  const { awsRequestId } = context.lambdaContext
  await marked(name, awsRequestId, () => context.step('work', moment))
  return name
})

export const plain = ({ name }: Named, { awsRequestId }: Context): Promise<void> => marked(name, awsRequestId, moment)

// What the executions of this test do. Effects go to the ledger, a file that no server touches, with the time: `ran`
// when a step's code runs, `done` when the line after its `await` was reached (then its success is acknowledged, and
// it must never run again), `woke` after a wait. One function with several plans, so that one process serves them all.
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRetryStrategy, JitterStrategy, withDurableExecution } from '@aws/durable-execution-sdk-js'

const ledger = process.env.LEDGER

function note(...words) {
  appendFileSync(ledger, `${[...words, Date.now()].join(' ')}\n`)
}

async function tracked(context, execution, name, work) {
  const retryStrategy = createRetryStrategy({
    maxAttempts: 3,
    initialDelay: { seconds: 1 },
    backoffRate: 1,
    jitter: JitterStrategy.NONE,
  })
  const effect = async () => {
    note('ran', execution, name)
    return work()
  }
  const result = await context.step(name, effect, { retryStrategy })
  note('done', execution, name)
  return result
}

async function pause(context, execution, name) {
  await context.wait(name, { seconds: 1 })
  note('woke', execution, name)
}

/** Fails once in an execution's life. */
function failOnce(execution) {
  if (readFileSync(ledger, 'utf8').includes(`failed ${execution} `)) return 10
  note('failed', execution)
  throw new Error('the first time it fails')
}

async function grow(name, context, chars) {
  await tracked(context, name, 'a', () => 'a'.repeat(chars))
  await pause(context, name, 'in-between')
  for (const letter of 'bcdefg') await tracked(context, name, letter, () => letter.repeat(chars))
  return 7
}

const plans = {
  async approval(name, context) {
    await tracked(context, name, 'ask', () => 1)
    await pause(context, name, 'cool-off')
    const answer = await context.waitForCallback('answer', async (callbackId) => note('callback', name, callbackId))
    return tracked(context, name, 'conclude', () => `approved by ${answer}`)
  },
  async shipping(name, context) {
    const { price } = await context.invoke('price', 'errands:$LATEST', { errand: 'price', name })
    const packed = await context.invoke('pack', 'workflow:$LATEST', { plan: 'packing', name: `${name}-child` })
    return tracked(context, name, 'sum', () => price + packed)
  },
  packing: (name, context) => tracked(context, name, 'pack', () => failOnce(name)),
  /** Runs for a moment without a checkpoint. */
  busy: (name, context) => tracked(context, name, 'toil', () => sleep(800, 5)),
  brief: (name, context) => tracked(context, name, 'only', () => 7),
  /** Grows beyond what goes without a snapshot, and what one step of a purge removes. */
  long: (name, context) => grow(name, context, 1_100_000),
  /** Grows beyond half of the write-ahead log. */
  bulky: (name, context) => grow(name, context, 5_500_000),
}

export const workflow = withDurableExecution(({ plan, name }, context) => plans[plan](name, context))

/** The plain function. */
export async function errands({ errand, name }) {
  note(errand, name)
  if (errand === 'notice') return {}
  await sleep(400)
  return { price: 100 }
}

/** The scenarios of `test/interop/scenarios.ts` in JavaScript, with the official durable SDK. */
import { appendFileSync, readFileSync } from 'node:fs'
import { type DurableContext, StepSemantics, withDurableExecution } from '@aws/durable-execution-sdk-js'

interface Event {
  readonly scenario: string
  /** A file to which each run of a step adds its name. */
  readonly ledger: string
  readonly numbers: number[]
  readonly stepBytes: number
  readonly steps: number
  readonly padding: string
  /** Functions to go through, the next one first. */
  readonly chain: readonly string[]
  /** The last one in the chain. */
  readonly fails?: boolean
}

type Scenario = (event: Event, context: DurableContext) => Promise<unknown>

const never = () => ({ shouldRetry: false })

const scenarios: Readonly<Record<string, Scenario>> = {
  retry: (_event, context) =>
    context.step(
      'flaky',
      async ({ attempt }) => {
        if (attempt < 2) throw new Error('not yet')
        return { attempt }
      },
      { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) },
    ),

  failure: (_event, context) =>
    context.step(
      'order',
      async () => {
        throw new Error('out of stock')
      },
      { retryStrategy: never },
    ),

  wait: async (_event, context) => {
    await context.wait('pause', { seconds: 1 })
    return 'waited'
  },

  callback: async (event, context) => {
    const answer = await context.waitForCallback<string>('approval', async () => note(event, 'asked'))
    return JSON.parse(answer)
  },

  child: (_event, context) =>
    context.runInChildContext('room', async (room) => {
      const found = await room.step('look', async () => 'found')
      await room.wait('rest', { seconds: 1 })
      return found
    }),

  map: async (event, context) => {
    const doubled = await context.map('numbers', event.numbers, (item, number) =>
      item.step('double', async () => number * 2),
    )
    return doubled.getResults()
  },

  parallel: async (_event, context) => {
    const both = await context.parallel<string>('both', [
      { name: 'quick', func: (branch) => branch.step('run', async () => 'hare') },
      {
        name: 'slow',
        func: async (branch) => {
          await branch.wait('nap', { seconds: 1 })
          return branch.step('walk', async () => 'tortoise')
        },
      },
    ])
    return both.getResults()
  },

  condition: (_event, context) =>
    context.waitForCondition<number>('third time', async (looks) => looks + 1, {
      initialState: 0,
      waitStrategy: (looks) =>
        looks < 3 ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false },
    }),

  large: async (event, context) => {
    const made = await context.step('large', async () => 'x'.repeat(event.stepBytes))
    await context.wait('pause', { seconds: 1 })
    return { made: made.length, padding: event.padding }
  },

  many: async (event, context) => {
    let made = 0
    for (let index = 0; index < event.steps; index++) {
      const text = await context.step(`part ${index}`, async () => 'x'.repeat(event.stepBytes))
      made += text.length
    }
    await context.wait('pause', { seconds: 1 })
    return made
  },

  crash: async (event, context) => {
    await context.step('before', async () => note(event, 'before'))
    await context.step('fatal', async () => exitAtFirst(event))
    await context.step('after', async () => note(event, 'after'))
    return 'survived'
  },

  interrupted: async (event, context) => {
    await context.step('once', async () => exitAtFirst(event), {
      semantics: StepSemantics.AtMostOncePerRetry,
      retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 2, delay: { seconds: 1 } }),
    })
    return 'tried again'
  },

  chain: async (event, context) => {
    const [next, ...chain] = event.chain
    if (next !== undefined) {
      const further = await context.invoke<unknown, string[]>('next', next, { ...event, chain })
      return ['javascript', ...further]
    }
    if (event.fails) throw new Error('out of stock')
    return ['javascript']
  },
}

function exitAtFirst(event: Event): void {
  note(event, 'fatal')
  if (readFileSync(event.ledger, 'utf8').match(/fatal/g)?.length === 1) process.exit(7)
}

function note({ ledger }: Event, line: string): void {
  appendFileSync(ledger, `${line}\n`)
}

export const handler = withDurableExecution<Event, unknown>(async (event, context) => {
  const scenario = scenarios[event.scenario]
  if (scenario === undefined) throw new Error(`there is no scenario ${event.scenario}`)
  return scenario(event, context)
})

/** Handlers for the requirements of the group `parallel` (8-x). Branches run one at a time, so that histories have one order. */
import { NestingType, type ThresholdCompletionConfig, withDurableExecution } from '@aws/durable-execution-sdk-js'
import { countsAndStatusOf, countsOf, fails } from './batch-projection.ts'

const oneAtATime = { maxConcurrency: 1 }

/** A branch that does nothing but return. */
const returns =
  <T>(value: T) =>
  async (): Promise<T> =>
    value

const completesBy = (completionConfig: ThresholdCompletionConfig) => ({ ...oneAtATime, completionConfig })

export const oneStepEach = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.parallel(
    'parallel',
    [(branch) => branch.step(async () => 'task-1'), (branch) => branch.step(async () => 'task-2')],
    oneAtATime,
  )
  return batch.getResults()
})

export const withoutName = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.parallel([returns('alpha'), returns('beta')], oneAtATime)
  return batch.getResults()
})

export const resultsOfManyTypes = withDurableExecution<unknown, unknown[]>(async (_event, context) => {
  const batch = await context.parallel<unknown>(
    'hetero',
    [returns('hello'), returns(42), returns({ k: 'v' })],
    oneAtATime,
  )
  return batch.getResults()
})

export const noBranches = withDurableExecution<unknown, unknown[]>(async (_event, context) => {
  const batch = await context.parallel<unknown>('empty', [])
  return batch.getResults()
})

export const stopsAtFirstFailure = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [returns('ok'), fails, returns('never started')]
  return countsAndStatusOf(
    await context.parallel<string>('failfast', branches, completesBy({ toleratedFailureCount: 0 })),
  )
})

export const twoSuccessesSuffice = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [returns('a'), returns('b'), returns('c'), returns('d')]
  const batch = await context.parallel<string>('min-successful', branches, completesBy({ minSuccessful: 2 }))
  const { completionReason, successCount, totalCount } = batch
  return { completionReason, successCount, totalCount }
})

export const toleratesOneFailure = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [returns('a'), fails, returns('c')]
  return countsAndStatusOf(
    await context.parallel<string>('tolerated', branches, completesBy({ toleratedFailureCount: 1 })),
  )
})

export const exceedsToleratedCount = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [fails, fails, returns('never started')]
  return countsOf(
    await context.parallel<string>('tolerated-exceeded', branches, completesBy({ toleratedFailureCount: 1 })),
  )
})

export const flat = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.parallel(
    'flat',
    [(branch) => branch.step(async () => 'fa'), (branch) => branch.step(async () => 'fb')],
    { ...oneAtATime, nesting: NestingType.FLAT },
  )
  return batch.getResults()
})

export const exceedsToleratedPercentage = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [fails, fails, returns('never started'), returns('never started')]
  return countsOf(
    await context.parallel<string>('tolerated-pct', branches, completesBy({ toleratedFailurePercentage: 25 })),
  )
})

export const replaySkipsFinishedBranch = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.parallel<string>(
    'replay',
    [
      (branch) => branch.step(async () => 'b0'),
      async (branch) => {
        await branch.wait({ seconds: 2 })
        return 'b1'
      },
    ],
    oneAtATime,
  )
  return batch.getResults()
})

export const allFailWithinTolerance = withDurableExecution<unknown, unknown>(async (_event, context) =>
  countsAndStatusOf(
    await context.parallel<string>('all-fail', [fails, fails, fails], completesBy({ toleratedFailureCount: 3 })),
  ),
)

export const tooFewSuccesses = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [returns('a'), fails, returns('c')]
  return countsAndStatusOf(
    await context.parallel<string>('min-not-reached', branches, completesBy({ minSuccessful: 3 })),
  )
})

export const failuresBeforeSuccesses = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [fails, fails, returns('never started'), returns('never started')]
  const completion = completesBy({ minSuccessful: 3, toleratedFailureCount: 1 })
  return countsOf(await context.parallel<string>('combined', branches, completion))
})

export const accessors = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [returns('a'), fails, returns('c')]
  const batch = await context.parallel<string>('accessors', branches, completesBy({ toleratedFailureCount: 1 }))
  return {
    hasFailure: batch.hasFailure,
    successCount: batch.succeeded().length,
    failureCount: batch.failed().length,
    errorCount: batch.getErrors().length,
  }
})

export const nested = withDurableExecution<unknown, string[][]>(async (_event, context) => {
  const outer = await context.parallel<string[]>(
    'outer',
    [
      async (branch) => {
        const inner = await branch.parallel<string>(
          'inner',
          [(innerBranch) => innerBranch.step(async () => 'i1'), (innerBranch) => innerBranch.step(async () => 'i2')],
          oneAtATime,
        )
        return inner.getResults()
      },
    ],
    oneAtATime,
  )
  return outer.getResults()
})

export const exactlyToleratedPercentage = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const branches = [fails, returns('b'), returns('c'), returns('d')]
  return countsAndStatusOf(
    await context.parallel<string>('pct-boundary', branches, completesBy({ toleratedFailurePercentage: 25 })),
  )
})

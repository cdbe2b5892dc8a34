/** Functions of all languages on one server: they start executions of each other, and all go on after a crash. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { paginateListDurableExecutionsByFunction } from '@aws-sdk/client-lambda'
import { given, reason } from './kept.ts'
import { javaLanguage, javascript, pythonLanguage, rustLanguage } from './languages.ts'
import { Served } from './served.ts'
import { assertWellFormed, work } from './told.ts'

const all = [await javascript(), await pythonLanguage(), await javaLanguage(), await rustLanguage()]
const here = all.filter((found) => reason(found) === false).map(given)
const skip = here.length < 2 && all.flatMap((found) => reason(found) || []).join('; ')

/** A function has twice as many processes as the machine has cores. */
const AT_ONCE = 4 * availableParallelism()

async function serveAll(t: TestContext): Promise<Served> {
  const served = await Served.start(t, Object.assign({}, ...here.map(({ runtimes }) => runtimes)))
  for (const language of here) await served.deploy(language)
  return served
}

test('a chain of invokes goes through the languages', { skip }, async (t) => {
  const served = await serveAll(t)
  const names = here.map(({ name }) => name)
  for (const [index, first] of names.entries()) {
    const way = [...names.slice(index), ...names.slice(0, index)]
    await t.test(way.join(' → '), async () => {
      const chain = way.slice(1).map((name) => `${name}:$LATEST`)
      const started = new Date()
      const outcome = await served.run(first, { scenario: 'chain', chain })
      assert.deepEqual([outcome.status, outcome.result], ['SUCCEEDED', way], JSON.stringify(outcome.error))
      const history = await served.history(outcome.arn)
      assertWellFormed(history)
      const invoked = [
        'ExecutionStarted',
        'ChainedInvokeStarted next',
        'ChainedInvokeSucceeded next',
        'ExecutionSucceeded',
      ]
      assert.deepEqual(work(history), invoked)
      // The one that was started is an execution of its own, with a history of its own, and so on to the last.
      let next = history.flatMap(({ ChainedInvokeStartedDetails: details }) => details?.DurableExecutionArn ?? [])[0]
      for (const name of way.slice(1)) {
        assert.match(next ?? '', new RegExp(`:function:${name}:\\$LATEST/durable-execution/`))
        const ofNext = await served.history(next ?? '')
        assertWellFormed(ofNext)
        assert.deepEqual(work(ofNext), name === way.at(-1) ? ['ExecutionStarted', 'ExecutionSucceeded'] : invoked)
        const pages = paginateListDurableExecutionsByFunction(
          { client: served.client, pageSize: 1 },
          { FunctionName: name, StartedAfter: started, Statuses: ['SUCCEEDED'] },
        )
        const listed: (string | undefined)[] = []
        for await (const { DurableExecutions = [] } of pages)
          listed.push(...DurableExecutions.map((each) => each.DurableExecutionArn))
        assert.deepEqual(listed, [next])
        next = ofNext.flatMap(({ ChainedInvokeStartedDetails: details }) => details?.DurableExecutionArn ?? [])[0]
      }
      assert.equal(next, undefined)
    })

    await t.test(`${way.join(' → ')}, which fails`, async () => {
      const chain = way.slice(1).map((name) => `${name}:$LATEST`)
      const outcome = await served.run(first, { scenario: 'chain', chain, fails: true })
      assert.equal(outcome.status, 'FAILED')
      assert.match(outcome.error?.ErrorMessage ?? '', /out of stock$/)
      const history = await served.history(outcome.arn)
      assertWellFormed(history)
      assert.deepEqual(work(history), [
        'ExecutionStarted',
        'ChainedInvokeStarted next',
        'ChainedInvokeFailed next',
        'ExecutionFailed',
      ])
    })
  }
})

test('executions of all languages at once, more than there are processes', { skip }, async (t) => {
  const served = await serveAll(t)
  const numbers = Array.from({ length: AT_ONCE }, (_, index) => [index, index + 1])
  const runs = await Promise.all(
    here.flatMap(({ name }) =>
      numbers.map(async (pair) => ({ name, pair, ...(await served.run(name, { scenario: 'map', numbers: pair })) })),
    ),
  )
  for (const { name, pair, arn, result, error } of runs) {
    const doubled = pair.map((number) => 2 * number)
    assert.deepEqual(result, doubled, `${name}: ${JSON.stringify(error)}`)
    assertWellFormed(await served.history(arn))
  }
})

test('a server that is killed goes on with functions of all languages', { skip }, async (t) => {
  const served = await serveAll(t)
  const begun = await Promise.all(
    here.map(async ({ name }) => {
      const ledger = join(served.place, `${name}.ledger`)
      const arn = await served.start(name, { scenario: 'callback', ledger })
      return { name, ledger, arn, CallbackId: await served.callbackOf(arn) }
    }),
  )
  await served.killAndRestart()
  for (const { name, ledger, arn, CallbackId } of begun) {
    await t.test(name, async () => {
      await served.succeed(CallbackId, '"Grace"')
      const outcome = await served.ended(arn)
      assert.deepEqual([outcome.status, outcome.result], ['SUCCEEDED', 'Grace'])
      assertWellFormed(await served.history(arn))
      assert.equal(readFileSync(ledger, 'utf8'), 'asked\n', 'a finished step ran again')
    })
  }
})

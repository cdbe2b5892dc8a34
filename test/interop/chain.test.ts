/** Executions that start executions of functions in other languages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paginateListDurableExecutionsByFunction } from '@aws-sdk/client-lambda'
import { given, reason } from './kept.ts'
import { javaLanguage, javascript, pythonLanguage, rustLanguage } from './languages.ts'
import { Served } from './served.ts'
import { assertWellFormed, work } from './told.ts'

const all = [await javascript(), await pythonLanguage(), await javaLanguage(), await rustLanguage()]
const here = all.filter((found) => reason(found) === false).map(given)

test('a chain of invokes goes through the languages', {
  skip: here.length < 2 && all.flatMap((found) => reason(found) || []).join('; '),
}, async (t) => {
  const served = await Served.start(t, Object.assign({}, ...here.map(({ runtimes }) => runtimes)))
  for (const language of here) await served.deploy(language)
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
  }
})

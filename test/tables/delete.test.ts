/** Spec 01 §1.10 and §1.11: deleting executions, and that nothing is throttled. */
import assert from 'node:assert/strict'
import { eventually } from './eventually.ts'
import type { Execution } from './execution.ts'
import { row, rowOnDisk, type TestServer, tables } from './harness.ts'
import { boom, callback, invoke, step } from './updates.ts'
import { assertError, ms, type WireAnswer } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const pathOf = (arn: string): string => `${API}/${encodeURIComponent(arn)}`

const statusOf = (answer: WireAnswer): string =>
  answer.status === 404 ? 'gone' : (JSON.parse(answer.text) as { Status: string }).Status

async function deleted(run: Execution): Promise<number> {
  const answer = await run.server.delete(pathOf(run.arn))
  assert.equal(answer.status, 202, answer.text)
  const body = JSON.parse(answer.text) as { DeletionRequestTimestamp: number }
  assert.deepEqual(Object.keys(body), ['DeletionRequestTimestamp'])
  return ms(body.DeletionRequestTimestamp)
}

const gone = (server: TestServer, arn: string): Promise<true> =>
  eventually('the data to be gone', async () => ((await server.get(pathOf(arn))).status === 404 ? true : undefined))

async function closed(server: TestServer, payload = '1'): Promise<Execution> {
  const run = await server.execution()
  await run.checkpoint([step.succeed('s1', payload)])
  await run.succeed(payload)
  return run
}

tables('DeleteDurableExecution (01 §1.10)', (server) => {
  for (const status of ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const) {
    row('01-1.10-closed', status, async () => {
      const run = await server.execution({ function: 'brief' })
      if (status === 'SUCCEEDED') await run.succeed('1')
      else if (status === 'FAILED') await run.fail(boom)
      else if (status === 'STOPPED') await run.stop(boom)
      else await server.advance(60_000)
      assert.equal((await run.describe()).Status, status)
      assert.equal(await deleted(run), server.nowMs)
      await gone(server, run.arn)
    })
  }

  row('01-1.10-running', async () => {
    await using run = await server.execution()
    assertError(await server.delete(pathOf(run.arn)), 409, 'ResourceConflictException', /running/)
    assert.equal((await run.describe()).Status, 'RUNNING')
    await run.checkpoint([])
  })

  row('01-1.10-deleting', async () => {
    const run = await closed(server, JSON.stringify('x'.repeat(200_000)))
    const path = `/2025-12-01/functions/puppet/durable-executions?DurableExecutionName=${run.name}`
    const listedStatus = async (): Promise<string> => {
      const { DurableExecutions } = JSON.parse((await server.get(path)).text) as {
        DurableExecutions: { Status: string }[]
      }
      return DurableExecutions[0]?.Status ?? 'gone'
    }
    const order = ['SUCCEEDED', 'DELETING', 'gone']
    // All on their way at once: each sees one of the three, and after the answer never the first.
    const before = [server.get(pathOf(run.arn)).then(statusOf), listedStatus()]
    await deleted(run)
    for (const seen of await Promise.all(before)) assert.ok(order.includes(seen), seen)
    const after = await Promise.all([
      server.get(pathOf(run.arn)).then(statusOf),
      listedStatus(),
      server.get(pathOf(run.arn)).then(statusOf),
    ])
    for (const seen of after) assert.ok(order.indexOf(seen) > 0, seen)
    await gone(server, run.arn)
    assert.equal(await listedStatus(), 'gone')
  })

  row('01-1.10-gone', async () => {
    const run = await server.execution()
    const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
    await run.succeed('1')
    await deleted(run)
    await gone(server, run.arn)
    const missing = 'Durable Execution does not exist'
    assertError(await server.get(`${pathOf(run.arn)}/history`), 404, 'ResourceNotFoundException', missing)
    assertError(await server.postJson(`${pathOf(run.arn)}/stop`, {}), 404, 'ResourceNotFoundException', missing)
    assertError(await server.delete(pathOf(run.arn)), 404, 'ResourceNotFoundException', missing)
    assertError(await run.statePage(), 400, 'InvalidParameterValueException', 'Invalid checkpoint token')
    await run.staleToken({})
    await server.callbackClosed(CallbackDetails?.CallbackId ?? '')
  })

  row('01-1.10-name', async () => {
    const first = await closed(server)
    await deleted(first)
    await gone(server, first.arn)
    const answer = await server.invoke('puppet:$LATEST', { name: first.name, input: '{"another":true}', type: 'Event' })
    assert.equal(answer.status, 202, answer.text)
    const second = String(answer.headers['x-amz-durable-execution-arn'])
    assert.notEqual(second, first.arn)
    const invocation = await server.puppets.nextOfExecution(first.name)
    assert.equal(invocation.event.InitialExecutionState.Operations.length, 1, 'nothing of the first is left')
    assert.equal((await server.postJson(`${pathOf(second)}/stop`, {})).status, 200)
  })

  row('01-1.10-again', async () => {
    const run = await closed(server)
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.delete(pathOf(run.arn))))
    const accepted = answers.filter(({ status }) => status === 202)
    assert.ok(accepted.length >= 1)
    assert.equal(new Set(accepted.map(({ text }) => text)).size, 1)
    for (const answer of answers) if (answer.status !== 202) assert.equal(answer.status, 404, answer.text)
    await gone(server, run.arn)
  })

  row('01-1.10-children', async () => {
    const run = await server.execution()
    await run.checkpoint([invoke.start('i1', 'child:$LATEST', '{}')])
    const child = await server.puppets.nextOfFunction('child')
    await run.succeed('1')
    await deleted(run)
    await gone(server, run.arn)
    const childArn = child.event.DurableExecutionArn
    assert.equal(statusOf(await server.get(pathOf(childArn))), 'RUNNING')
    child.respond({ Status: 'SUCCEEDED', Result: '1' })
    await eventually('the end of the child', async () => {
      const status = statusOf(await server.get(pathOf(childArn)))
      return status === 'SUCCEEDED' ? true : undefined
    })
  })

  row('01-1.10-logs', async () => {
    const run = await closed(server)
    await run.invocationOver()
    const { requestId } = run.invocation
    await deleted(run)
    await gone(server, run.arn)
    const logs = await server.get(`/perdure/v1/logs?request=${requestId}`)
    assert.ok(logs.text.includes(`REPORT RequestId: ${requestId}`), logs.text)
  })

  row('01-1.10-raw-path', async () => {
    const run = await closed(server)
    assert.equal((await server.delete(`${API}/${run.arn}`)).status, 202)
    await gone(server, run.arn)
  })

  rowOnDisk(server, '01-1.10-durable', async () => {
    for (let round = 0; round < 3; round += 1) {
      const runs = [await closed(server), await closed(server), await closed(server)]
      await Promise.all(runs.map(deleted))
      await server.restart('kill')
      for (const run of runs) {
        assert.ok(
          ['DELETING', 'gone'].includes(statusOf(await server.get(pathOf(run.arn)))),
          'an answered deletion is never taken back',
        )
        await gone(server, run.arn)
      }
    }
  })
})

tables('rates (01 §1.11)', (server) => {
  row('01-1.11-none', async () => {
    await using run = await server.execution()
    const calls = Array.from({ length: 400 }, (_, i) =>
      i % 2 === 0 ? server.get(pathOf(run.arn)) : server.get(`${pathOf(run.arn)}/history`),
    )
    for (const answer of await Promise.all(calls)) assert.equal(answer.status, 200, answer.text)
  })
})

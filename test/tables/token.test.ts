/** Spec 05 §5.1–5.3 and §5.6: the checkpoint token, what consumes it, and what is answered to a wrong one. */
import assert from 'node:assert/strict'
import { type Execution, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { bare, boom, callback, context, execution, invoke, step, type Update, wait } from './updates.ts'
import { assertError, okBody } from './wire.ts'

const INVALID = 'Invalid checkpoint token'
const CAPITALISED = 'Invalid Checkpoint Token'

tables('the token (05 §5.1)', (server) => {
  row('05-5.1-alphabet', async () => {
    await using run = await server.execution()
    const tokens = [run.token]
    for (let turn = 0; turn < 3; turn++) tokens.push((await run.checkpoint([])).CheckpointToken ?? '')
    for (const token of tokens) {
      assert.match(token, /^[A-Za-z0-9+/]+={0,2}$/)
      assert.ok(token.length <= 2048)
    }
    assert.equal(new Set(tokens).size, tokens.length)
  })

  row('05-5.1-minted', async () => {
    await using run = await server.execution()
    const first = run.token
    await run.checkpoint([wait.start('w1', 5)])
    const second = run.token
    await run.resumedAfter(5)
    assert.equal(new Set([first, second, run.token]).size, 3)
    await run.checkpoint([])
  })

  row('05-5.1-current', async () => {
    await using run = await server.execution()
    const earlier = [run.token]
    await run.checkpoint([wait.start('w1', 5)])
    earlier.push(run.token)
    await run.resumedAfter(5)
    for (const token of earlier) await run.staleToken({ token, updates: [] })
    await run.checkpoint([])
  })
})

tables('consumption of the token (05 §5.2)', (server) => {
  for (const [variation, updates] of [
    ['with updates', [step.start('s1')]],
    ['empty', []],
  ] as const) {
    row('05-5.2-accepted', variation, async () => {
      await using run = await server.execution()
      const consumed = run.token
      const { CheckpointToken } = await run.checkpoint(updates)
      assert.ok(CheckpointToken !== undefined && CheckpointToken !== consumed)
      await run.staleToken({ token: consumed, updates: [] })
      await run.checkpoint([])
    })
  }

  for (const [variation, updates, code] of [
    ['InvalidParameterValueException', [bare('STEP', 'CANCEL', 's1')], 'InvalidParameterValueException'],
    ['ValidationException', [wait.start('w1', 0)], 'ValidationException'],
  ] as const) {
    row('05-5.2-rejected', variation, async () => {
      await using run = await server.execution()
      const { token } = run
      for (let turn = 0; turn < 3; turn++) assertError(await run.send({ updates }), 400, code, /./)
      assert.equal(run.token, token)
      await run.checkpoint([])
    })
  }

  row('05-5.2-replayed', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'once', updates: [step.start('s1')] }
    const first = okBody<{ CheckpointToken: string }>(await run.send(request))
    assert.deepEqual(okBody(await run.send(request)), first)
    assert.deepEqual(await run.timeline(), ['StepStarted s1'])
    run.token = first.CheckpointToken
    await run.checkpoint([])
  })

  row('05-5.2-state', async () => {
    await using run = await server.execution()
    const consumed = run.token
    await run.checkpoint([step.start('s1')])
    for (let turn = 0; turn < 3; turn++) okBody(await run.statePage())
    assertError(await run.statePage({ token: consumed }), 400, 'InvalidParameterValueException', INVALID)
    await run.checkpoint([])
  })

  const ends: readonly (readonly [string, (run: Execution) => void])[] = [
    ['PENDING', (run) => run.invocation.respond({ Status: 'PENDING' })],
    ['a thrown error', (run) => run.invocation.throw('Oops', 'thrown')],
    ['a crash', (run) => run.invocation.exit(3)],
  ]
  for (const [variation, end] of ends) {
    row('05-5.2-invocation-end', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([wait.start('w1', 500)])
      end(run)
      await run.invocationRecorded()
      await run.staleToken({ updates: [] })
      assertError(await run.statePage(), 400, 'InvalidParameterValueException', INVALID)
    })
  }
  for (const [variation, answer] of [
    ['SUCCEEDED', { Status: 'SUCCEEDED', Result: '1' }],
    ['FAILED', { Status: 'FAILED', Error: boom }],
  ] as const) {
    row('05-5.2-invocation-end', variation, async () => {
      await using run = await server.execution()
      run.invocation.respond(answer)
      await run.closed()
      await run.staleToken({ updates: [] })
    })
  }

  row('05-5.2-closed', 'stop', async () => {
    await using run = await server.execution()
    await run.stop()
    await run.staleToken({ updates: [] })
    assertError(await run.statePage(), 400, 'InvalidParameterValueException', INVALID)
  })

  row('05-5.2-closed', 'timeout', async () => {
    await using run = await server.execution({ function: 'brief' })
    await server.advance(60_000)
    await run.staleToken({ updates: [] })
  })

  row('05-5.2-closed', 'EXECUTION update', async () => {
    await using run = await server.execution()
    await run.checkpoint([execution.succeed('1')])
    await run.staleToken({ updates: [] })
    assertError(await run.statePage(), 400, 'InvalidParameterValueException', INVALID)
  })

  row('05-5.2-concurrent', async () => {
    await using run = await server.execution()
    const rivals = ['a', 'b', 'c', 'd']
    const answers = await Promise.all(
      rivals.map((clientToken) => run.send({ clientToken, updates: [step.start(`s-${clientToken}`)] })),
    )
    const won = answers.flatMap((answer, index) => (answer.status === 200 ? [rivals[index]] : []))
    assert.equal(won.length, 1)
    for (const answer of answers) {
      if (answer.status !== 200) assertError(answer, 400, 'InvalidParameterValueException', INVALID)
    }
    assert.deepEqual(await run.timeline(), [`StepStarted s-${won[0]}`])
  })
})

tables('errors of the token (05 §5.3)', (server) => {
  row('05-5.3-consumed', async () => {
    await using run = await server.execution()
    const consumed = run.token
    await run.checkpoint([step.start('s1')])
    await run.checkpoint([])
    await run.staleToken({ token: consumed, updates: [step.start('s2')] })
    assert.deepEqual(await run.timeline(), ['StepStarted s1'])
  })

  row('05-5.3-superseded', async () => {
    await using run = await server.execution()
    const older = run.token
    await run.crashedAndRetried()
    await run.staleToken({ token: older, updates: [step.start('s1')] })
    await run.checkpoint([])
  })

  row('05-5.3-random', async () => {
    await using run = await server.execution()
    // The right form and execution, another secret.
    const secret = run.token.at(-1) === '0' ? '1' : '0'
    await run.staleToken({ token: run.token.slice(0, -1) + secret, updates: [] })
    await run.checkpoint([])
  })

  row('05-5.3-closed', async () => {
    await using run = await server.execution()
    await run.stop()
    await run.staleToken({ updates: [step.start('s1')] })
  })

  row('05-5.3-unknown', async () => {
    await using run = await server.execution()
    const unknown = '00000000-0000-4000-8000-000000000000'
    const arn = run.arn.replace(run.id, unknown)
    const message = /^(Invalid checkpoint token|Checkpoint token is not valid for the durable execution ARN)$/
    assertError(await run.send({ arn, updates: [] }), 400, 'InvalidParameterValueException', message)
    // A token that names no other execution is simply bad.
    assertError(await run.send({ arn, token: 'dDE=', updates: [] }), 400, 'InvalidParameterValueException', INVALID)
  })

  row('05-5.3-malformed', async () => {
    await using run = await server.execution()
    for (const token of ['x', 'dDE=', 'AAAA', `${run.token}00`, run.token.slice(2), 'f'.repeat(2048)]) {
      await run.staleToken({ token, updates: [] })
    }
    await run.checkpoint([])
  })

  row('05-5.3-foreign', async () => {
    await using run = await server.execution()
    await using other = await server.execution()
    const message = 'Checkpoint token is not valid for the durable execution ARN'
    await run.staleToken({ token: other.token, updates: [] }, message)
    assertError(await run.statePage({ token: other.token }), 400, 'InvalidParameterValueException', message)
    await run.checkpoint([])
    await other.checkpoint([])
  })

  for (const [variation, token, ending] of [
    ['pattern', 'not base64!', 'satisfy regular expression pattern: \\[A-Za-z0-9\\+/\\]\\+=\\{0,2\\}$'],
    ['too long', 'a'.repeat(2049), 'have length less than or equal to 2048$'],
    ['empty', '', 'have length greater than or equal to 1'],
  ] as const) {
    row('05-5.3-token-pattern', variation, async () => {
      await using run = await server.execution()
      const message = new RegExp(`at 'checkpointToken' failed to satisfy constraint: Member must ${ending}`)
      assertError(await run.send({ token, updates: [] }), 400, 'ValidationException', message)
      await run.checkpoint([])
    })
  }

  row('05-5.3-token-pattern', 'missing', async () => {
    await using run = await server.execution()
    const path = `/2025-12-01/durable-executions/${encodeURIComponent(run.arn)}/checkpoint`
    const message = /at 'checkpointToken' failed to satisfy constraint: Member must not be null$/
    assertError(await server.postJson(path, { Updates: [] }), 400, 'ValidationException', message)
  })

  row('05-5.3-arn-pattern', async () => {
    await using run = await server.execution()
    for (const arn of ['nonsense', run.arn.replace(':$LATEST', ''), `${run.arn}/more`]) {
      const message = /at 'durableExecutionArn' failed to satisfy constraint: Member must satisfy regular expression/
      assertError(await run.send({ arn, updates: [] }), 400, 'ValidationException', message)
    }
  })

  row('05-5.3-casing', async () => {
    await using run = await server.execution()
    const consumed = run.token
    await run.checkpoint([])
    for (const agent of [undefined, 'curl/8.9.1', 'Boto3/1.43.107 Botocore/1.43.107']) {
      const headers = agent === undefined ? {} : { 'user-agent': agent }
      await run.staleToken({ token: consumed, updates: [], headers }, INVALID)
    }
  })

  const javascript = (version: string): string =>
    `aws-sdk-js/3.1164.0 ua/2.1 os/linux lang/js md/nodejs#24 api/lambda#3.1164.0 aws-durable-execution-sdk-js/${version}`
  for (const [id, agent, expected] of [
    ['05-5.3-js-old', javascript('2.4.0'), CAPITALISED],
    ['05-5.3-js-old', javascript('1.0.1'), CAPITALISED],
    ['05-5.3-js-new', javascript('2.4.1'), INVALID],
    ['05-5.3-python-old', 'Boto3/1.43.107 aws-durable-execution-sdk-python/2.0.0', CAPITALISED],
    ['05-5.3-python-new', 'Boto3/1.43.107 aws-durable-execution-sdk-python/2.0.1', INVALID],
    ['05-5.3-java', 'aws-sdk-java/2.40.0 aws-durable-execution-sdk-java/1.0.0', CAPITALISED],
    ['05-5.3-dotnet', 'aws-sdk-dotnet-core/4.0 aws-durable-execution-sdk-dotnet/1.0.0', CAPITALISED],
    ['05-5.3-go', 'aws-sdk-go-v2/1.40 aws-durable-execution-sdk-go/1.0.0', INVALID],
  ] as const) {
    row(id, agent, async () => {
      await using run = await server.execution()
      const consumed = run.token
      await run.checkpoint([])
      await run.staleToken({ token: consumed, updates: [], headers: { 'user-agent': agent } }, expected)
    })
  }

  row('05-5.3-rust', async () => {
    await using run = await server.execution()
    await run.stop()
    await run.staleToken(
      { updates: [], headers: { 'user-agent': 'aws-sdk-rust/1.8.0 os/linux lang/rust/1.90' } },
      INVALID,
    )
    run.invocation.respond({ Status: 'FAILED', Error: { ErrorMessage: INVALID } })
    await run.invocationOver()
    assert.equal((await run.describe()).Status, 'STOPPED')
  })

  const outputs: readonly (readonly [string, (run: Execution) => void])[] = [
    ['SUCCEEDED', (run) => run.invocation.respond({ Status: 'SUCCEEDED', Result: '1' })],
    ['FAILED', (run) => run.invocation.respond({ Status: 'FAILED', Error: boom })],
    ['PENDING', (run) => run.invocation.respond({ Status: 'PENDING' })],
    ['a thrown error', (run) => run.invocation.throw('Oops', 'thrown')],
  ]
  for (const [variation, end] of outputs) {
    row('05-5.3-ignored-output', variation, async () => {
      await using run = await server.execution()
      await run.stop(boom)
      const before = { events: await run.events(), described: await run.describe() }
      end(run)
      await run.invocationOver()
      assert.deepEqual({ events: await run.events(), described: await run.describe() }, before)
      assert.equal(before.described.Status, 'STOPPED')
    })
  }
})

tables('an answer without token (05 §5.6)', (server) => {
  for (const [variation, update] of [
    ['SUCCEED', execution.succeed('1')],
    ['FAIL', execution.fail(boom)],
  ] as const) {
    row('05-5.6-after-execution', variation, async () => {
      await using run = await server.execution()
      const answer = await run.checkpoint([step.start('s1'), update])
      assert.ok(!('CheckpointToken' in answer))
      assert.equal(only(answer.NewExecutionState.Operations, 's1').Status, 'STARTED')
    })
  }

  row('05-5.6-otherwise', async () => {
    await using run = await server.execution()
    const batches: readonly (readonly Update[])[] = [
      [],
      [step.start('s1'), step.succeed('s1', '1')],
      [context.start('c1'), context.fail('c1', boom)],
      [wait.start('w1', 1)],
      [callback.start('k1')],
      [invoke.start('i1', 'nobody')],
      [step.retry('s2', 1)],
    ]
    for (const updates of batches) assert.equal(typeof (await run.checkpoint(updates)).CheckpointToken, 'string')
    await server.advance(1000)
    assert.equal(typeof (await run.checkpoint([])).CheckpointToken, 'string')
  })

  row('05-5.6-closed', async () => {
    await using run = await server.execution()
    await run.stop()
    assertError(await run.send({ updates: [] }), 400, 'InvalidParameterValueException', INVALID)
  })
})

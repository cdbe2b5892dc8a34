import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Operation } from '../../src/protocol/shapes.ts'
import { openCall } from './open-call.ts'
import { FunctionError, ScriptedFunctions } from './scripted-functions.ts'
import { callback, invoke } from './updates.ts'
import { World } from './world.ts'

/** A parent that invokes `target` once and answers with how that ended. */
function parentOf(functions: ScriptedFunctions, target: string, payload?: string, tenantId?: string) {
  return functions.durable('parent', async (call) => {
    const ended = call.operations.find(({ Id }) => Id === 'i')
    if (ended === undefined) {
      const { NewExecutionState } = await call.checkpoint([invoke('i', target, payload, tenantId)])
      if (NewExecutionState.Operations[0]?.Status === 'STARTED') return { Status: 'PENDING' }
      return { Status: 'SUCCEEDED', Result: JSON.stringify(NewExecutionState.Operations[0]) }
    }
    if (ended.Status === 'STARTED') return { Status: 'PENDING' }
    return { Status: 'SUCCEEDED', Result: JSON.stringify({ status: ended.Status, ...ended.ChainedInvokeDetails }) }
  })
}

async function outcomeOf(world: World): Promise<Record<string, unknown>> {
  const started = await world.start('parent')
  const end = await world.end(started)
  assert.equal(end.status, 'SUCCEEDED')
  return JSON.parse(end.result ?? '{}')
}

describe('a chained invoke of a durable function', () => {
  it('starts the child that it names and gets its result, in the order of the golden sequences', async () => {
    const world = await World.open()
    world.functions.durable('child', async (call) => ({
      Status: 'SUCCEEDED',
      Result: call.operations[0]?.ExecutionDetails?.InputPayload ?? '',
    }))
    parentOf(world.functions, 'child:$LATEST', '{"k":[1,null]}')
    const started = await world.start('parent')
    const end = await world.end(started)
    assert.deepEqual(JSON.parse(end.result ?? ''), { status: 'SUCCEEDED', Result: '{"k":[1,null]}' })
    const { Events } = await world.history(started)
    assert.deepEqual(
      Events.map(({ EventType }) => EventType),
      [
        'ExecutionStarted',
        'ChainedInvokeStarted',
        'InvocationCompleted',
        'ChainedInvokeSucceeded',
        'InvocationCompleted',
        'ExecutionSucceeded',
      ],
    )
    const details = Events[1]?.['ChainedInvokeStartedDetails'] ?? {}
    const child = await world.describe(String(details['DurableExecutionArn']))
    assert.equal(child.Status, 'SUCCEEDED')
    assert.equal(details['ExecutedVersion'], '$LATEST')
    assert.deepEqual(await world.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('maps every end of the child (spec 07 §7.6)', async () => {
    const world = await World.open()
    const { functions } = world
    functions.durable('fails', async () => ({ Status: 'FAILED', Error: { ErrorType: 'T', ErrorMessage: 'm' } }))
    parentOf(functions, 'fails:$LATEST')
    assert.deepEqual(await outcomeOf(world), { status: 'FAILED', Error: { ErrorType: 'T', ErrorMessage: 'm' } })

    functions.durable('sleeps', () => new Promise(() => {}), { config: { ExecutionTimeout: 7 } })
    parentOf(functions, 'sleeps:$LATEST')
    const timedOut = outcomeOf(world)
    await world.clock.advance(7_000)
    assert.deepEqual(await timedOut, {
      status: 'TIMED_OUT',
      Error: { ErrorType: 'ChainedInvoke.Timeout', ErrorMessage: 'CHAINED_INVOKE timed out after 7 seconds.' },
    })

    const stopped = outcomeOf(world)
    await world.settle()
    const { DurableExecutions } = await world.service.list({
      functionName: 'sleeps',
      statuses: ['RUNNING'],
      oldestFirst: false,
    })
    const arn = world.arn(DurableExecutions[0]?.DurableExecutionArn ?? '')
    await world.service.stop({ arn, error: { ErrorType: 'Operator', ErrorMessage: 'enough' } })
    assert.deepEqual(await stopped, {
      status: 'STOPPED',
      Error: { ErrorType: 'Operator', ErrorMessage: 'enough' },
    })
  })

  it('fails at once when the target is not there or needs a qualifier', async () => {
    const world = await World.open()
    parentOf(world.functions, 'nobody:7')
    const missing = await outcomeOf(world)
    assert.equal(missing['Status'], 'FAILED')
    assert.deepEqual(missing['ChainedInvokeDetails'], {
      Error: {
        ErrorType: 'ResourceNotFoundException',
        ErrorMessage: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:7',
      },
    })
    world.functions.durable('child', async () => ({ Status: 'SUCCEEDED' }))
    parentOf(world.functions, 'child')
    const unqualified = await outcomeOf(world)
    assert.deepEqual(unqualified['ChainedInvokeDetails'], {
      Error: {
        ErrorType: 'InvalidParameterValueException',
        ErrorMessage: 'You cannot invoke a durable function using an unqualified ARN.',
      },
    })
  })

  it('refuses the request for a function elsewhere', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const refusals = [
      [
        'arn:aws:lambda:us-east-1:111111111111:function:x:1',
        'Cannot start a CHAINED_INVOKE on a function in another account.',
      ],
      [
        'arn:aws:lambda:eu-west-1:000000000000:function:x:1',
        'Cannot start a CHAINED_INVOKE on a function in another region.',
      ],
      ['arn:aws:lambda:us-east-1:x', "Invalid function ARN 'arn:aws:lambda:us-east-1:x'"],
    ] as const
    for (const [name, message] of refusals) {
      await assert.rejects(call.checkpoint([invoke('i', name)]), { code: 'InvalidParameterValueException', message })
    }
  })

  it('passes the tenant on, and only to functions that have tenants', async () => {
    const world = await World.open()
    world.functions.durable('child', async () => ({ Status: 'SUCCEEDED', Result: '1' }), { perTenant: true })
    parentOf(world.functions, 'child:$LATEST', undefined, 'blue')
    assert.deepEqual(await outcomeOf(world), { status: 'SUCCEEDED', Result: '1' })
    const child = world.functions.requests.find(({ functionName }) => functionName === 'child')
    assert.equal(child?.request.tenantId, 'blue')
    assert.ok(world.functions.reservedTenants.includes('blue'))
    for (const [perTenant, tenantId] of [
      [true, undefined],
      [false, 'blue'],
    ] as const) {
      world.functions.durable('child', async () => ({ Status: 'SUCCEEDED', Result: '1' }), { perTenant })
      parentOf(world.functions, 'child:$LATEST', undefined, tenantId)
      const { ChainedInvokeDetails } = (await outcomeOf(world)) as Partial<Operation>
      assert.equal(ChainedInvokeDetails?.Error?.ErrorType, 'InvalidParameterValueException')
    }
  })

  it('is carried through a crash at any moment, once each', async () => {
    // The process dies instead of the n-th append, for every n until the parent got through without dying.
    for (let appends = 1; ; appends++) {
      let left = appends
      const death = Promise.withResolvers<'died'>()
      const functions = new ScriptedFunctions().durable('child', async () => ({ Status: 'SUCCEEDED', Result: '"c"' }))
      parentOf(functions, 'child:$LATEST')
      const world = await World.open({ functions })
      const started = await world.start('parent')
      world.store.beforeAppend = async () => {
        left -= 1
        if (left > 0) return
        world.store.cut()
        death.resolve('died')
      }
      const died = (await Promise.race([death.promise, world.settle()])) === 'died'
      const next = died ? await world.crash() : world
      const end = await next.end(started)
      await next.settle()
      assert.equal(end.result, '{"status":"SUCCEEDED","Result":"\\"c\\""}', `died at append ${appends}`)
      const children = await next.service.list({ functionName: 'child', oldestFirst: true })
      assert.equal(children.DurableExecutions.length, 1, `died at append ${appends}`)
      assert.equal((await next.events(started)).filter((type) => type === 'ChainedInvokeSucceeded').length, 1)
      assert.deepEqual(await next.disk.listOutbox({ afterId: '', limit: 10 }), [])
      if (!died) {
        assert.ok(appends > 6, `only ${appends} appends`)
        return
      }
    }
  })

  it('whose parent has ended changes nothing', async () => {
    const world = await World.open()
    const child = Promise.withResolvers<void>()
    world.functions.durable('child', async () => {
      await child.promise
      return { Status: 'SUCCEEDED' }
    })
    parentOf(world.functions, 'child:$LATEST')
    const started = await world.start('parent')
    await world.settle()
    await world.service.stop({ arn: world.arn(started), error: {} })
    child.resolve()
    await world.settle()
    assert.equal((await world.events(started)).at(-1), 'ExecutionStopped')
    assert.deepEqual(await world.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('waits for a child function that disappeared meanwhile', async () => {
    const world = await World.open()
    const { call, started, end } = await openCall(world)
    world.functions.durable('child', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    world.store.beforeAppend = async () => world.functions.remove('child')
    await call.checkpoint([invoke('i', 'child:$LATEST')])
    world.store.beforeAppend = undefined
    await end({ Status: 'PENDING' })
    await world.clock.advance(120_000)
    assert.equal((await world.events(started)).includes('ChainedInvokeFailed'), false)
    world.functions.durable('f', async (again) => ({ Status: 'SUCCEEDED', Result: again.statusOf('i') ?? '' }))
    world.functions.durable('child', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: 'SUCCEEDED' })
  })
})

describe('a chained invoke of a plain function', () => {
  it('gets the text that it answered; no payload means {}', async () => {
    const world = await World.open()
    world.functions.plain('plain', async (event) => `got ${event}`)
    parentOf(world.functions, 'plain')
    assert.deepEqual(await outcomeOf(world), { status: 'SUCCEEDED', Result: 'got {}' })
  })

  it('fails with the error of the function, once', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => {
      throw new FunctionError({ ErrorType: 'Sandbox.Timedout', ErrorMessage: 'Task timed out after 3.00 seconds' })
    })
    parentOf(world.functions, 'plain')
    assert.deepEqual(await outcomeOf(world), {
      status: 'FAILED',
      Error: { ErrorType: 'Sandbox.Timedout', ErrorMessage: 'Task timed out after 3.00 seconds' },
    })
    assert.equal(world.functions.invocationsOf('plain'), 1)
  })

  it('is tried again when the platform fails', async () => {
    const world = await World.open()
    let failures = 2
    world.functions.plain('plain', async () => {
      if (failures-- > 0) throw new FunctionError({ ErrorMessage: 'no process' }, 'platform')
      return '"at last"'
    })
    parentOf(world.functions, 'plain')
    const outcome = outcomeOf(world)
    await world.clock.advance(3_000)
    assert.deepEqual(await outcome, { status: 'SUCCEEDED', Result: '"at last"' })
  })

  it('refuses answers that are too large or no text', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => 'x'.repeat(1_048_577))
    parentOf(world.functions, 'plain')
    assert.deepEqual(await outcomeOf(world), {
      status: 'FAILED',
      Error: { ErrorMessage: 'CHAINED_INVOKE output payload size must be less than or equal to 1048576 bytes.' },
    })
    world.functions.plain('plain', async () => new Uint8Array([0xff, 0xfe]))
    assert.deepEqual(await outcomeOf(world), {
      status: 'FAILED',
      Error: { ErrorMessage: 'CHAINED_INVOKE response could not be decoded as UTF-8.' },
    })
  })

  it('is run again after a crash', async () => {
    const functions = new ScriptedFunctions().plain('plain', () => new Promise(() => {}))
    parentOf(functions, 'plain')
    const world = await World.open({ functions })
    const started = await world.start('parent')
    await world.settle()
    assert.equal(functions.invocationsOf('plain'), 1)
    const reborn = functions.reborn().plain('plain', async () => '"second time"')
    const next = await world.crash({ functions: reborn })
    assert.deepEqual(await next.end(started), {
      status: 'SUCCEEDED',
      result: '{"status":"SUCCEEDED","Result":"\\"second time\\""}',
    })
  })
})

describe('an asynchronous invocation of a plain function', () => {
  const enqueue = (world: World, payload = '{"n":1}') =>
    world.service.enqueuePlain({ target: world.functions.target('plain'), qualifier: '$LATEST', payload })

  it('runs with the request id that its caller got', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => 'null')
    const { requestId } = await enqueue(world)
    await world.settle()
    const [{ request } = assert.fail('not run')] = world.functions.requests
    assert.equal(request.requestId, requestId)
    assert.equal(request.event, '{"n":1}')
    assert.deepEqual(await world.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('is durable before the caller is answered', async () => {
    const functions = new ScriptedFunctions().plain('plain', () => new Promise(() => {}))
    const world = await World.open({ functions })
    const { requestId } = await enqueue(world)
    const reborn = new ScriptedFunctions().plain('plain', async () => 'null')
    const next = await world.crash({ functions: reborn })
    await next.settle()
    assert.deepEqual(
      reborn.requests.map(({ request }) => request.requestId),
      [requestId],
    )
  })

  it('is tried twice more when the function fails, after one and two minutes, also across a crash', async () => {
    const script = async () => {
      throw new FunctionError({ ErrorType: 'Oops', ErrorMessage: 'no' })
    }
    const world = await World.open({ functions: new ScriptedFunctions().plain('plain', script) })
    await enqueue(world)
    await world.clock.advance(59_999)
    assert.equal(world.functions.invocationsOf('plain'), 1)
    await world.clock.advance(1)
    assert.equal(world.functions.invocationsOf('plain'), 2)
    const next = await world.crash()
    await next.clock.advance(119_999)
    assert.equal(next.functions.invocationsOf('plain'), 0)
    await next.clock.advance(1)
    assert.equal(next.functions.invocationsOf('plain'), 1)
    await next.clock.advance(1_000_000)
    assert.equal(next.functions.invocationsOf('plain'), 1)
    assert.match(next.log.find(({ level }) => level === 'warn')?.message ?? '', /was dropped: its retries/)
    assert.deepEqual(await next.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('is tried again until it is six hours old when the platform fails', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => {
      throw new FunctionError({ ErrorMessage: 'no process' }, 'platform')
    })
    await enqueue(world)
    await world.clock.advance(21_600_000 + 300_000)
    const tries = world.functions.invocationsOf('plain')
    assert.ok(tries > 72, `${tries} tries: every five minutes at the latest`)
    await world.clock.advance(3_600_000)
    assert.equal(world.functions.invocationsOf('plain'), tries)
    assert.deepEqual(await world.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('is refused when the store does not take it, and is not forgotten if it did', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => 'null')
    world.store.failAppends('beforeCommit')
    await assert.rejects(enqueue(world), { code: 'ServiceException' })
    await world.settle()
    assert.equal(world.functions.invocationsOf('plain'), 0)
    world.store.failAppends('afterCommit')
    await assert.rejects(enqueue(world), { code: 'ServiceException' })
    await world.settle()
    assert.equal(world.functions.invocationsOf('plain'), 1)
  })
})

describe('the outbox', () => {
  it('settles again what the store would not settle', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => 'null')
    world.store.beforeAppend = async ({ settled }) => {
      if (settled.length > 0) throw new Error('not now')
    }
    await world.service.enqueuePlain({ target: world.functions.target('plain'), qualifier: '$LATEST', payload: '1' })
    await world.settle()
    assert.equal((await world.disk.listOutbox({ afterId: '', limit: 10 })).length, 1)
    world.store.beforeAppend = undefined
    await world.clock.advance(1_000)
    assert.equal((await world.disk.listOutbox({ afterId: '', limit: 10 })).length, 0)
    assert.equal(world.functions.invocationsOf('plain'), 1)
  })

  it('is not emptied out of memory: more rows than it may know are read from the store in time', async () => {
    const functions = new ScriptedFunctions().plain('plain', () => new Promise(() => {}), { concurrency: 1 })
    const world = await World.open({ functions })
    const target = functions.target('plain')
    for (let posted = 0; posted < 12_000; posted += 2_000) {
      await Promise.all(
        Array.from({ length: 2_000 }, () => world.service.enqueuePlain({ target, qualifier: '$LATEST', payload: '1' })),
      )
    }
    const reborn = new ScriptedFunctions().plain('plain', async () => 'null', { concurrency: 50 })
    const next = await world.crash({ functions: reborn })
    while ((await next.disk.listOutbox({ afterId: '', limit: 1 })).length > 0) await next.settle()
    assert.equal(new Set(reborn.requests.map(({ request }) => request.requestId)).size, 12_000)
    assert.equal(reborn.requests.length, 12_000)
  })

  it('tells a parent that is busy, at its next checkpoint', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => '"fast"')
    const { call, started } = await openCall(world)
    await call.checkpoint([invoke('i', 'plain'), callback('c')])
    await world.settle()
    assert.equal((await world.events(started)).includes('ChainedInvokeSucceeded'), false)
    const { NewExecutionState } = await call.checkpoint()
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Id, Status }) => `${Id} ${Status}`),
      ['i SUCCEEDED'],
    )
  })
})

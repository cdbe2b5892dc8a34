/** The commands against a real server with the functions of `examples/`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PerdureClient } from '../../src/client/client.ts'
import { inRepository, type Outcome, perdure, running, server, temporaryFolder } from './program.ts'

test('the commands of a running server', async (context) => {
  const running = await server(context, ['start', '--config', inRepository('examples/perdure.config.ts'), '--memory'])
  const env = { PERDURE_ENDPOINT: running.endpoint }
  const run = (...args: readonly string[]) => perdure(args, { env })
  const ok = async (...args: readonly string[]): Promise<Outcome> => {
    const outcome = await run(...args)
    assert.equal(outcome.code, 0, outcome.err)
    return outcome
  }

  await context.test('invoke prints the result alone on standard output', async () => {
    const outcome = await ok('invoke', 'trip', '--payload', '{"traveller":"Ada"}', '--name', 'trip-1')
    assert.deepEqual(JSON.parse(outcome.out), { booked: ['flight', 'hotel', 'car'], undone: [] })
    assert.match(
      outcome.err,
      /^execution 'arn:aws:lambda:us-east-1:000000000000:function:trip:\$LATEST\/durable-execution\/trip-1\//,
    )
  })

  await context.test('the same name and payload run once, another payload is refused with its fix', async () => {
    const again = await ok('invoke', 'trip', '--payload', '{"traveller":"Ada"}', '--name', 'trip-1', '--json')
    const listed = await ok('executions', 'list', 'trip', '--json')
    const [only, ...others] = JSON.parse(listed.out) as { DurableExecutionArn: string; StartTimestamp: string }[]
    assert.deepEqual(others, [])
    assert.equal(
      (JSON.parse(again.out) as { DurableExecutionArn: string }).DurableExecutionArn,
      only?.DurableExecutionArn,
    )
    assert.match(only?.StartTimestamp ?? '', /^\d{4}-\d\d-\d\dT.*Z$/)
    const refused = await run('invoke', 'trip', '--payload', '{"traveller":"Bob"}', '--name', 'trip-1')
    assert.equal(refused.code, 1)
    assert.match(
      refused.err,
      /DurableExecutionAlreadyStartedException.*\n {2}so: nothing was changed\n {2}fix: use another --name/,
    )
  })

  await context.test('a plain function is invoked the same way, its payload read from standard input', async () => {
    const payload = '{"orderId":"o","customer":"Ada","lines":[{"sku":"cup","quantity":2,"price":3}]}'
    const outcome = await perdure(['invoke', 'receipt', '--payload', '@-'], { env, stdin: payload })
    assert.equal(outcome.code, 0, outcome.err)
    assert.equal((JSON.parse(outcome.out) as { total: number }).total, 6)
  })

  await context.test('a function that fails is exit code 1 with its error', async () => {
    const outcome = await run(
      'invoke',
      'order',
      '--payload',
      '{"orderId":"o","customer":"Ada","lines":[]}',
      '--name',
      'empty',
    )
    assert.equal(outcome.code, 1)
    assert.match(outcome.err, /the function failed/)
    assert.match((JSON.parse(outcome.out) as { errorMessage: string }).errorMessage, /at least one line/)
    const get = await ok('executions', 'get', 'order/empty')
    assert.match(get.out, /Status +FAILED/)
    assert.match(get.out, /Error +.*at least one line/)
    const failed = await ok('executions', 'list', '--status', 'failed')
    assert.match(failed.out, /order:\$LATEST +empty +FAILED/)
    assert.doesNotMatch(failed.out, /trip-1/)
  })

  await context.test('an unknown function and an unknown execution are told', async () => {
    const unknown = await run('invoke', 'nothing')
    assert.equal(unknown.code, 1)
    assert.match(
      unknown.err,
      /ResourceNotFoundException: Function not found: .*nothing.*\n {2}so: nothing was changed\n {2}fix: /,
    )
    const absent = await run('executions', 'get', 'nowhere')
    assert.equal(absent.code, 1)
    assert.match(absent.err, /there is no execution "nowhere"/)
  })

  await context.test('get and history show an execution by name', async () => {
    const get = await ok('executions', 'get', 'trip-1', '--json')
    assert.equal((JSON.parse(get.out) as { Status: string }).Status, 'SUCCEEDED')
    const history = await ok('executions', 'history', 'trip-1')
    assert.match(history.out, /^ID +AFTER +EVENT/)
    assert.match(history.out, /StepSucceeded +book hotel/)
    const events = JSON.parse((await ok('executions', 'history', 'trip-1', '--json')).out) as { EventId: number }[]
    assert.deepEqual(
      events.map((event) => event.EventId),
      events.map((_event, index) => index + 1),
    )
  })

  await context.test('watch follows an execution to its end and prints its tree', async () => {
    await ok('invoke', 'hello', '--event', '--name', 'hello-1', '--payload', '{"name":"Ada"}')
    const watched = await ok('executions', 'watch', 'hello/hello-1')
    assert.match(watched.out, /WaitStarted +pause/)
    assert.match(watched.out, /\nhello-1 {2}SUCCEEDED {2}[\d.]+ m?s, 2 invocations\n/)
    assert.match(watched.out, /├─ ✓ greet +step/)
    assert.match(watched.out, /\nresult {2}"Hello, Ada! Still here\."\n$/)
    const lines = (await ok('executions', 'watch', 'hello-1', '--json')).out.trimEnd().split('\n')
    assert.equal((JSON.parse(lines.at(-1) ?? '') as { EventType: string }).EventType, 'ExecutionSucceeded')
  })

  await context.test('a callback is completed once, a stopped execution stays stopped', async () => {
    const lines = [{ sku: 'cup', quantity: 1, price: 3 }]
    const payload = JSON.stringify({ orderId: 'o', customer: 'Ada', lines })
    await ok('invoke', 'order', '--event', '--name', 'order-1', '--payload', payload)
    const client = new PerdureClient(running.endpoint)
    context.after(() => client.close())
    const callbackId = await openCallback(client, 'order-1')
    await ok('callbacks', 'heartbeat', callbackId)
    await ok('callbacks', 'succeed', callbackId, '--result', 'Grace')
    const again = await run('callbacks', 'fail', callbackId, '--type', 'Late', '--message', 'too late')
    assert.equal(again.code, 1)
    assert.match(
      again.err,
      /CallbackTimeoutException: .*\n {2}so: nothing was changed\n {2}fix: a callback can be completed once/,
    )
    const watched = await ok('executions', 'watch', 'order-1')
    assert.match(watched.out, /"approvedBy":"Grace"/)
    assert.match(watched.out, /take payment +invoke payment.*\n│ {2}├─ ✓ authorise card/)

    await ok('invoke', 'hello', '--event', '--name', 'hello-2')
    await ok('executions', 'stop', 'hello-2', '--type', 'Changed', '--message', 'never mind')
    assert.match((await ok('executions', 'get', 'hello-2')).out, /Status +STOPPED[\s\S]*Error +Changed: never mind/)
    assert.equal((await run('executions', 'watch', 'hello-2')).code, 1)
  })

  await context.test('logs show what a function and one of its executions printed', async () => {
    await ok('invoke', 'trip', '--name', 'trip-2', '--payload', '{"traveller":"Ada","fails":"hotel"}')
    const ofExecution = await ok('logs', 'trip/trip-2')
    assert.match(ofExecution.out, /undoing the trip/)
    assert.match(ofExecution.out, /START RequestId/)
    assert.match((await ok('logs', 'trip', '--limit', '1000')).out, /undoing the trip/)
    const records = (await ok('logs', 'trip-2', '--json')).out.trimEnd().split('\n')
    for (const record of records) assert.equal((JSON.parse(record) as { functionName: string }).functionName, 'trip')
    assert.equal((await run('logs', 'nothing')).code, 1)

    const [record = ''] = records
    const { requestId } = JSON.parse(record) as { readonly requestId: string }
    const ofRequest = (await ok('logs', '--request-id', requestId, '--json')).out.trimEnd().split('\n')
    assert.ok(ofRequest.length >= 3 && ofRequest.every((line) => JSON.parse(line).requestId === requestId))
    const grepped = (await ok('logs', 'trip-2', '--grep', 'START Request')).out.trimEnd().split('\n')
    assert.ok(grepped.every((line) => line.includes('START RequestId')))
    assert.equal((await ok('logs', 'trip-2', '--filter=-Request -trip')).out.includes('START'), false)
    assert.equal((await ok('logs', 'trip-2', '--level', 'fatal')).out, '')
    assert.match((await ok('logs', 'trip-2', '--since', '1h')).out, /START RequestId/)
    assert.equal((await ok('logs', 'trip-2', '--since', '2999-01-01T00:00:00Z')).out, '')
    assert.match((await ok('logs', 'trip-2', '--children')).out, /START RequestId/)
    for (const wrong of [
      ['--level', 'loud'],
      ['--filter', '{'],
      ['--since', 'soon'],
    ]) {
      assert.equal((await run('logs', 'trip-2', ...wrong)).code, 2, wrong.join(' '))
    }
    assert.equal((await run('logs')).code, 2)
    assert.equal((await run('logs', 'trip', '--children')).code, 2)
  })

  await context.test('lists take the filters of the API', async () => {
    const list = async (...filters: readonly string[]) => {
      const { out } = await ok('executions', 'list', ...filters, '--output', 'ndjson')
      return out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { DurableExecutionName: string }).DurableExecutionName)
    }
    const all = await list('--all')
    assert.ok(all.length > 5)
    assert.deepEqual(await list('--all', '--oldest-first'), all.toReversed())
    assert.deepEqual(await list('--limit', '2'), all.slice(0, 2))
    assert.deepEqual(await list('--name', 'trip-2'), ['trip-2'])
    assert.deepEqual(await list('trip', '--qualifier', '$LATEST', '--oldest-first', '-l', '1'), ['trip-1'])
    assert.deepEqual(await list('--started-before', '1h'), [])
    assert.deepEqual(await list('--started-after', '1h', '--all'), all)
    const both = await run('executions', 'list', '--all', '--limit', '3')
    assert.equal(both.code, 2)
    assert.match(both.err, /--all and --limit exclude each other/)
  })

  await context.test('functions are listed and shown', async () => {
    const listed = await ok('functions', 'list')
    assert.match(listed.out, /^FUNCTION +VERSION +KIND/)
    assert.match(listed.out, /\nreceipt +\$LATEST +plain +1 m +512 MB\n/)
    assert.match(listed.out, /\norder +\$LATEST +durable +15 m +512 MB +15 m +14 d\n/)
    const lines = (await ok('functions', 'list', '-o', 'ndjson')).out.trimEnd().split('\n')
    assert.ok(lines.some((line) => (JSON.parse(line) as { FunctionName: string }).FunctionName === 'hello'))
    assert.match((await ok('functions', 'get', 'order')).out, /Kind +durable\n/)
    const { out } = await ok('functions', 'get', 'order', '--json')
    assert.equal(
      (JSON.parse(out) as { DurableConfig: { ExecutionTimeout: number } }).DurableConfig.ExecutionTimeout,
      900,
    )
    assert.equal((await run('functions', 'get', 'nothing')).code, 1)
  })

  await context.test('status tells that the server is ready and what runs', async () => {
    const payload = '{"orderId":"o","customer":"Ada","lines":[{"sku":"cup","quantity":1,"price":3}]}'
    await ok('invoke', 'order', '--event', '--name', 'order-2', '--payload', payload)
    const shown = await ok('status')
    assert.match(shown.out, /Server +ready, at http/)
    assert.match(shown.out, /Executions +\d+ running: .*order 1/)
    assert.match(shown.out, /Clock +goes by itself/)
    const status = JSON.parse((await ok('status', '--json')).out) as { Readiness: string; Functions: number }
    assert.equal(status.Readiness, 'ready')
    assert.ok(status.Functions >= 5)
  })

  await context.test('a closed execution is deleted, a running one is not', async () => {
    const running = await run('executions', 'delete', 'order-2')
    assert.equal(running.code, 1)
    assert.match(
      running.err,
      /ResourceConflictException.*\n {2}so: nothing was changed\n {2}fix: end the execution first/,
    )
    await ok('executions', 'stop', 'order-2')
    assert.match((await ok('executions', 'delete', 'order-2')).out, /is being deleted since/)
    const gone = await run('executions', 'get', 'order/order-2')
    if (gone.code === 0) assert.match(gone.out, /Status +DELETING/)
    else assert.match(gone.err, /there is no execution|ResourceNotFoundException/)
  })

  await context.test('values that the API cannot take are refused before they are sent', async () => {
    const outcome = await run('callbacks', 'heartbeat', 'not an id')
    assert.equal(outcome.code, 2)
    assert.match(outcome.err, /'not an id' at 'callbackId'.*\n {2}so: nothing was sent/)
  })

  await context.test('no output has a control character, with or without NO_COLOR', async () => {
    for (const NO_COLOR of ['', '1']) {
      for (const args of [
        ['executions', 'list'],
        ['functions', 'list'],
        ['status'],
        ['executions', 'watch', 'trip-1'],
      ]) {
        const { out, err, code } = await perdure(args, { env: { ...env, NO_COLOR } })
        assert.equal(code, 0, err)
        assert.ok(!out.includes('\x1b') && !err.includes('\x1b'), args.join(' '))
      }
    }
  })

  await context.test('SIGTERM ends the server with exit code 0', async () => {
    assert.equal(await running.end('SIGTERM'), 0)
  })
})

/** Waits until the execution of `order` waits for its approval. */
async function openCallback(client: PerdureClient, name: string): Promise<string> {
  const page = await client.listDurableExecutionsByFunction({ functionName: 'order', durableExecutionName: name })
  const durableExecutionArn = page.durableExecutions[0]?.durableExecutionArn ?? ''
  for (;;) {
    let last: string | undefined
    for await (const event of client.events({ durableExecutionArn })) {
      last = event.eventType
      if (event.callbackStartedDetails !== undefined) return String(event.callbackStartedDetails.callbackId)
    }
    assert.doesNotMatch(last ?? '', /^Execution(?!Started)/, 'the order has ended')
  }
}

test('a server in a folder without a config file serves what is deployed to it', async (context) => {
  const folder = await temporaryFolder(context)
  const place = ['--region', 'eu-west-1', '--account', '123456789012']
  const { endpoint } = await server(context, ['start', '--memory', ...place], { cwd: folder })
  const client = new PerdureClient(endpoint)
  context.after(() => client.close())
  assert.deepEqual((await client.version()).place, { partition: 'aws', region: 'eu-west-1', account: '123456789012' })
  assert.deepEqual((await client.listFunctions()).functions, [])
  const told = running(context, ['start', '--memory', '--port', '0'], { cwd: folder })
  assert.match(await told.outLine(), /^perdure serves what is deployed to it at http/)
  assert.equal(await told.outLine(), `  there is no perdure.config.ts, .js or .yaml in ${folder}`)
})

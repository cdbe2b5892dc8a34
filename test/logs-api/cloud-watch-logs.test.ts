/** The CloudWatch Logs calls through the official client, unmodified, against a server on disk. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import * as logs from '@aws-sdk/client-cloudwatch-logs'
import { PerdureClient } from '../../src/client/client.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { startPerdureProcess } from '../start-perdure.ts'

const file = join(import.meta.dirname, 'functions.ts')
const ORDER = '/aws/lambda/order'
const SHOP = '/shop/orders'
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }

test('the calls of CloudWatch Logs', async (context) => {
  const server = await startPerdureProcess({
    data: temporaryDirectory(context),
    log: { level: 'error' },
    functions: [
      { name: 'order', file, exportName: 'order', durable: { ExecutionTimeout: 60 } },
      { name: 'stock', file, exportName: 'stock', durable: { ExecutionTimeout: 60 }, logging: { LogGroup: SHOP } },
      { name: 'chatty', file, exportName: 'chatty', durable: false, logging: { LogFormat: 'JSON', LogGroup: SHOP } },
      { name: 'quiet', file, exportName: 'chatty', durable: false },
    ],
  })
  const { endpoint } = server
  const client = new logs.CloudWatchLogsClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  const perdure = new PerdureClient(endpoint)
  context.after(async () => {
    client.destroy()
    perdure.close()
    await server.stop()
  })
  const orders = ['a', 'b'].map((name) =>
    perdure.invoke({
      functionName: 'order:$LATEST',
      durableExecutionName: name,
      payload: JSON.stringify({ name }),
    }),
  )
  const arns = (await Promise.all(orders)).map(({ durableExecutionArn = '' }) => durableExecutionArn)
  await perdure.invoke({ functionName: 'chatty', payload: '{"lines":250}' })

  const eventsOf = async (input: logs.FilterLogEventsCommandInput): Promise<readonly logs.FilteredLogEvent[]> => {
    const found: logs.FilteredLogEvent[] = []
    for await (const page of logs.paginateFilterLogEvents({ client }, input)) found.push(...(page.events ?? []))
    return found
  }
  const fieldsOf = ({ message = '' }: logs.FilteredLogEvent): Record<string, unknown> => JSON.parse(message)

  await context.test('groups: all, by prefix, by pattern, by identifier, page after page', async () => {
    const all = await client.send(new logs.DescribeLogGroupsCommand({}))
    assert.deepEqual(
      all.logGroups?.map(({ logGroupName }) => logGroupName),
      ['/aws/lambda/order', '/aws/lambda/quiet', SHOP],
    )
    const [first] = all.logGroups ?? []
    assert.equal(first?.arn, `arn:aws:logs:us-east-1:000000000000:log-group:${ORDER}:*`)
    assert.ok((first?.storedBytes ?? 0) > 0)
    assert.ok(Math.abs((first?.creationTime ?? 0) - Date.now()) < 600_000)
    const named = async (input: logs.DescribeLogGroupsCommandInput) =>
      (await client.send(new logs.DescribeLogGroupsCommand(input))).logGroups?.map(({ logGroupName }) => logGroupName)
    assert.deepEqual(await named({ logGroupNamePrefix: '/shop' }), [SHOP])
    assert.deepEqual(await named({ logGroupNamePattern: 'uie' }), ['/aws/lambda/quiet'])
    assert.deepEqual(await named({ logGroupNamePattern: 'Quiet' }), [])
    assert.deepEqual(await named({ logGroupIdentifiers: [first?.logGroupArn ?? '', 'none'] }), [ORDER])
    const paged: (string | undefined)[] = []
    for await (const page of logs.paginateDescribeLogGroups({ client, pageSize: 1 }, {})) {
      assert.ok((page.logGroups?.length ?? 0) <= 1)
      paged.push(...(page.logGroups ?? []).map(({ logGroupName }) => logGroupName))
    }
    assert.deepEqual(paged, ['/aws/lambda/order', '/aws/lambda/quiet', SHOP])
  })

  await context.test(
    'the pattern of conformance runners finds the lines that the SDK logged in one execution, and no others',
    async () => {
      const [arn = ''] = arns
      const found = await eventsOf({
        logGroupName: ORDER,
        filterPattern: `{ ($.durableExecutionArn = "${arn}") || ($.executionArn = "${arn}") }`,
      })
      assert.deepEqual(
        found.map(fieldsOf).map(({ level, executionArn, operationName }) => [level, executionArn, operationName]),
        [
          ['INFO', arn, undefined],
          ['WARN', arn, 'reserve'],
          ['ERROR', arn, undefined],
        ],
      )
      for (const { logStreamName, timestamp = 0, ingestionTime, eventId } of found) {
        assert.match(logStreamName ?? '', /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/)
        assert.ok(Math.abs(timestamp - Date.now()) < 600_000 && ingestionTime === timestamp)
        assert.match(eventId ?? '', /^\d{56}$/)
      }
      assert.equal(new Set(found.map(({ eventId }) => eventId)).size, 3)
    },
  )

  await context.test(
    'events of a group by level, term, time and stream; several functions may share a group',
    async () => {
      const warned = await eventsOf({ logGroupName: SHOP, filterPattern: '{ $.level = "warn" && $.n >= 100 }' })
      assert.deepEqual(
        warned.map(fieldsOf).map(({ n }) => n),
        Array.from({ length: 15 }, (_, index) => 100 + index * 10),
      )
      const shop = await eventsOf({ logGroupIdentifier: `arn:aws:logs:us-east-1:000000000000:log-group:${SHOP}` })
      assert.ok(
        shop.some(({ message }) => message?.includes('looked')) &&
          shop.some(({ message }) => message?.includes('platform.report')),
      )
      const streams = new Set(shop.map(({ logStreamName = '' }) => logStreamName))
      assert.ok(streams.size >= 2)
      for (const stream of streams) {
        const ofOne = await eventsOf({ logGroupName: SHOP, logStreamNames: [stream] })
        assert.deepEqual(
          ofOne,
          shop.filter(({ logStreamName }) => logStreamName === stream),
        )
      }
      const [first, last] = [shop[0]?.timestamp ?? 0, shop.at(-1)?.timestamp ?? 0]
      assert.deepEqual(await eventsOf({ logGroupName: SHOP, startTime: first, endTime: last }), shop)
      assert.deepEqual(await eventsOf({ logGroupName: SHOP, startTime: last + 1 }), [])
      assert.deepEqual(await eventsOf({ logGroupName: SHOP, endTime: first - 1 }), [])
      assert.deepEqual(await eventsOf({ logGroupName: '/aws/lambda/quiet' }), [])
      const report = await eventsOf({ logGroupName: ORDER, filterPattern: 'REPORT -Init' })
      assert.ok(report.length > 0 && report.every(({ message }) => message?.startsWith('REPORT ')))
    },
  )

  await context.test(
    'pages hold what they may, oldest first or newest first, and together everything once',
    async () => {
      const all = await eventsOf({ logGroupName: SHOP })
      for (const startFromHead of [true, false]) {
        const paged: logs.FilteredLogEvent[] = []
        for await (const page of logs.paginateFilterLogEvents(
          { client },
          { logGroupName: SHOP, limit: 7, startFromHead },
        )) {
          assert.ok((page.events?.length ?? 0) <= 7)
          paged.push(...(page.events ?? []))
        }
        assert.deepEqual(startFromHead ? paged : paged.reverse(), all)
      }
    },
  )

  await context.test('streams, and their events forward and backward until a token comes back', async () => {
    const { logStreams = [] } = await client.send(
      new logs.DescribeLogStreamsCommand({ logGroupName: SHOP, orderBy: 'LastEventTime', descending: true }),
    )
    const [newest] = logStreams
    const logStreamName = newest?.logStreamName ?? ''
    const all = await eventsOf({ logGroupName: SHOP, logStreamNames: [logStreamName] })
    assert.ok(all.length > 250)
    assert.deepEqual(
      [newest?.firstEventTimestamp, newest?.lastEventTimestamp],
      [all[0]?.timestamp, all.at(-1)?.timestamp],
    )
    const byName = await client.send(
      new logs.DescribeLogStreamsCommand({ logGroupName: SHOP, logStreamNamePrefix: logStreamName }),
    )
    assert.equal(byName.logStreams?.length, 1)

    const forward: unknown[] = []
    for (let nextToken: string | undefined; ; ) {
      const page: logs.GetLogEventsCommandOutput = await client.send(
        new logs.GetLogEventsCommand({ logGroupName: SHOP, logStreamName, limit: 50, startFromHead: true, nextToken }),
      )
      forward.push(...(page.events ?? []).map(({ message }) => message))
      if (page.nextForwardToken === nextToken) break
      nextToken = page.nextForwardToken
    }
    assert.deepEqual(
      forward,
      all.map(({ message }) => message),
    )
    const backward: unknown[] = []
    for (let nextToken: string | undefined; ; ) {
      const page: logs.GetLogEventsCommandOutput = await client.send(
        new logs.GetLogEventsCommand({ logGroupName: SHOP, logStreamName, limit: 50, nextToken }),
      )
      backward.unshift(...(page.events ?? []).map(({ message }) => message))
      if (page.nextBackwardToken === nextToken) break
      nextToken = page.nextBackwardToken
    }
    assert.deepEqual(backward, forward)
  })

  await context.test('what is refused is told in the modelled form', async () => {
    const refusals: readonly (readonly [() => Promise<unknown>, string, RegExp])[] = [
      [() => eventsOf({ logGroupName: '/none' }), 'ResourceNotFoundException', /log group does not exist/],
      [
        () => eventsOf({ logGroupIdentifier: 'arn:aws:logs:eu-west-1:000000000000:log-group:/none' }),
        'ResourceNotFoundException',
        /group/,
      ],
      [() => eventsOf({}), 'InvalidParameterException', /Exactly one/],
      [() => eventsOf({ logGroupName: ORDER, logGroupIdentifier: ORDER }), 'InvalidParameterException', /Exactly one/],
      [
        () => eventsOf({ logGroupName: ORDER, filterPattern: '{ $.a = ' }),
        'InvalidParameterException',
        /Invalid filter pattern/,
      ],
      [
        () => eventsOf({ logGroupName: ORDER, limit: 10_001 }),
        'InvalidParameterException',
        /'limit' failed to satisfy constraint/,
      ],
      [() => eventsOf({ logGroupName: ORDER, nextToken: 'f/1' }), 'InvalidParameterException', /nextToken is invalid/],
      [() => eventsOf({ logGroupName: 'a b' }), 'InvalidParameterException', /regular expression pattern/],
      [
        () => client.send(new logs.GetLogEventsCommand({ logGroupName: ORDER, logStreamName: 'none' })),
        'ResourceNotFoundException',
        /stream/,
      ],
      [
        () => client.send(new logs.CreateLogGroupCommand({ logGroupName: ORDER })),
        'ResourceAlreadyExistsException',
        /exists/,
      ],
      [
        () => client.send(new logs.CreateLogGroupCommand({ logGroupName: '/new' })),
        'InvalidParameterException',
        /made by the functions/,
      ],
      [
        () => client.send(new logs.PutRetentionPolicyCommand({ logGroupName: ORDER, retentionInDays: 1 })),
        'InvalidParameterException',
        /functionLogs/,
      ],
      [
        () => client.send(new logs.DeleteLogGroupCommand({ logGroupName: ORDER })),
        'InvalidParameterException',
        /functionLogs/,
      ],
      [() => client.send(new logs.ListAnomaliesCommand({})), 'UnknownOperationException', /ListAnomalies/],
    ]
    for (const [call, name, message] of refusals) {
      await assert.rejects(call(), (error: Error) => {
        assert.deepEqual([error.name, message.test(error.message)], [name, true], error.message)
        return true
      })
    }
    const tags = await client.send(
      new logs.ListTagsForResourceCommand({ resourceArn: `arn:aws:logs:us-east-1:000000000000:log-group:${ORDER}` }),
    )
    assert.deepEqual(tags.tags, {})
  })

  await context.test(
    'a request that is none of these calls gets a JSON error, and foreign hosts and origins none of the logs',
    async () => {
      const post = async (headers: Record<string, string>, body: string) => {
        const response = await fetch(`${server.endpoint}/`, { method: 'POST', headers, body })
        return [response.status, response.headers.get('x-amzn-errortype'), JSON.parse(await response.text())] as const
      }
      const target = { 'x-amz-target': 'Logs_20140328.FilterLogEvents' }
      const told = async (headers: Record<string, string>, body: string) => (await post(headers, body)).slice(0, 2)
      assert.deepEqual(await told({}, '{}'), [404, 'UnknownOperationException'])
      assert.deepEqual(await told({ 'x-amz-target': 'DynamoDB_20120810.ListTables' }, '{}'), [
        400,
        'UnknownOperationException',
      ])
      assert.deepEqual(await told({ 'x-amz-target': 'Logs_20140328.__proto__' }, '{}'), [
        400,
        'UnknownOperationException',
      ])
      assert.deepEqual(await told(target, '{'), [400, 'SerializationException'])
      assert.deepEqual(await told(target, '[]'), [400, 'SerializationException'])
      assert.deepEqual(await told(target, '{"logGroupName":7}'), [400, 'SerializationException'])
      assert.deepEqual(await told(target, `{"logGroupName":"${'x'.repeat(1_100_000)}"}`), [
        413,
        'RequestEntityTooLargeException',
      ])
      assert.deepEqual(await told({ ...target, origin: 'http://evil.example' }, '{"logGroupName":"/shop/orders"}'), [
        403,
        'AccessDeniedException',
      ])
      const [, , body] = await post(target, '{}')
      assert.equal(body['__type'], 'InvalidParameterException')
    },
  )

  await context.test('perdure’s own call: an execution alone, and with the executions that it started', async () => {
    const [executionArn = ''] = arns
    const alone = await perdure.logs({ executionArn })
    assert.ok(alone.every((line) => line.executionArn === executionArn))
    assert.ok(!alone.some(({ line }) => line.includes('looked')))
    const together = await perdure.logs({ executionArn, children: true })
    const children = together.filter((line) => line.executionArn !== executionArn)
    assert.ok(children.some(({ line, functionName }) => functionName === 'stock' && line.includes('looked')))
    assert.equal(new Set(children.map((line) => line.executionArn)).size, 1)
    assert.deepEqual(
      (await perdure.logs({ executionArn, level: 'ERROR' })).map(({ level, fields }) => [level, fields?.['errorType']]),
      [['ERROR', 'RangeError']],
    )
    assert.equal((await perdure.logs({ executionArn, grep: 'few are' })).length, 1)
    assert.equal((await perdure.logs({ functionName: 'chatty', filter: '{ $.n = 1* }' })).length, 111)
  })
})

/** A SAM project, unmodified, from one command to a finished durable execution, and through what projects go through then. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { inRepository } from '../cli/program.ts'
import { zipOf } from '../management/zip-of.ts'
import { actions, outcomes, type Site, siteOf } from './site.ts'

/** A copy of the example, in which everything may be changed. */
async function exampleOf(t: TestContext): Promise<Site> {
  const site = await siteOf(t)
  await cp(inRepository('examples/sam'), site.folder, { recursive: true })
  // Where "npm ci" would put the packages of the project.
  await symlink(inRepository('node_modules'), join(site.folder, 'node_modules'))
  return site
}

const ORDER = JSON.stringify({ lines: [{ sku: 'cup', quantity: 2, price: 3 }] })

async function checkout({ client }: Site, name: string) {
  const answer = await client.invoke({
    functionName: 'shop-dev-checkout',
    qualifier: 'live',
    durableExecutionName: name,
    payload: ORDER,
  })
  assert.equal(answer.functionError, undefined, answer.payload)
  const execution = await client.getDurableExecution({ durableExecutionArn: answer.durableExecutionArn ?? '' })
  return { bill: JSON.parse(answer.payload) as Record<string, unknown>, version: answer.executedVersion, execution }
}

const python = spawnSync('python3', ['--version']).status === 0

describe('a SAM project', { skip: python ? false : 'python3 is not on the PATH' }, () => {
  test('is planned, deployed, run, left alone, changed, reduced and destroyed', async (t) => {
    const site = await exampleOf(t)
    const { client, folder } = site

    await t.test('a plan changes nothing', async () => {
      const planned = await site.run('deploy', '--plan')
      assert.equal(planned.code, 0, planned.err)
      assert.match(
        planned.out,
        /^ {2}create +shop-dev-checkout +nodejs24\.x; durable; a version; alias live → a new version/m,
      )
      assert.match(planned.out, /^ {2}ignored +OrdersTable \(AWS::DynamoDB::Table\): databases are yours to run/m)
      assert.match(planned.out, /^ {2}stand-in +OrdersTable is "shop-OrdersTable"$/m)
      assert.deepEqual((await client.listFunctions()).functions, [])
    })

    await t.test('one command brings three functions in two languages, and an execution finishes', async () => {
      const report = await site.deploy()
      assert.equal(report.Stack, 'shop')
      assert.deepEqual(outcomes(report), {
        'shop-dev-checkout': 'created',
        'shop-dev-tax': 'created',
        'shop-Health': 'created',
      })
      const { bill, version, execution } = await checkout(site, 'first')
      assert.deepEqual(bill, { stage: 'dev', net: 6, tax: 1.2, currency: 'EUR', needsApproval: false })
      assert.equal(version, '1')
      assert.equal(execution.status, 'SUCCEEDED')
      const health = await client.invoke({ functionName: 'shop-Health' })
      assert.deepEqual(JSON.parse(health.payload), { healthy: true, stage: 'dev' })
      const { configuration, tags } = await client.getFunction({ functionName: 'shop-dev-checkout' })
      assert.deepEqual(
        [configuration.timeout, configuration.memorySize, configuration.durableConfig],
        [30, 256, { executionTimeout: 600, retentionPeriodInDays: 7 }],
      )
      assert.deepEqual(configuration.environment?.variables, {
        STAGE: 'dev',
        APPROVE_ABOVE: '1000',
        TAX_FUNCTION: 'shop-dev-tax',
        ORDERS_TABLE: 'shop-OrdersTable',
      })
      assert.deepEqual([tags?.['project'], tags?.['perdure:stack']], ['shop', 'shop'])
      const invocation = { functionName: 'shop-dev-checkout', qualifier: 'live' }
      assert.equal((await client.getFunctionEventInvokeConfig(invocation)).maximumRetryAttempts, 1)
    })

    await t.test('a second time there is nothing to change, also in a copy made at another time', async () => {
      const before = await client.getFunctionConfiguration({ functionName: 'shop-dev-checkout' })
      const again = await site.run('deploy')
      assert.equal(again.code, 0, again.err)
      assert.equal(again.err, 'stack shop: nothing to change\n')
      for (const file of ['health/health.mjs', 'tax/tax.py', 'checkout/src/total.ts']) {
        await writeFile(join(folder, file), await readFile(join(folder, file)))
      }
      assert.deepEqual(new Set(Object.values(actions(await site.deploy()))), new Set(['unchanged']))
      const after = await client.getFunctionConfiguration({ functionName: 'shop-dev-checkout' })
      assert.equal(after.revisionId, before.revisionId)
    })

    await t.test('after one source changed only its function is updated and published', async () => {
      const file = join(folder, 'checkout/src/total.ts')
      await writeFile(file, (await readFile(file, 'utf8')).replace('quantity * price', 'quantity * price * 10'))
      const report = await site.deploy()
      assert.deepEqual(actions(report), {
        'shop-dev-checkout': 'change',
        'shop-dev-tax': 'unchanged',
        'shop-Health': 'unchanged',
      })
      assert.deepEqual(report.Functions[0]?.Changes, ['code', 'a version', 'alias live → a new version'])
      const { bill, version } = await checkout(site, 'second')
      assert.deepEqual([bill['net'], version], [60, '2'])
      const { versions } = await client.listVersionsByFunction({ functionName: 'shop-dev-checkout' })
      assert.deepEqual(
        versions.map((each) => each.version),
        ['$LATEST', '1', '2'],
      )
    })

    await t.test(
      'a parameter changes configurations, and what is no longer said goes back to its default',
      async () => {
        const file = join(folder, 'template.yaml')
        const text = await readFile(file, 'utf8')
        await writeFile(file, text.replace('    MemorySize: 256\n', '').replace('    Timeout: 30\n', ''))
        const report = await site.deploy('--parameter', 'Currency=NOK')
        assert.deepEqual(actions(report), {
          'shop-dev-checkout': 'change',
          'shop-dev-tax': 'change',
          'shop-Health': 'change',
        })
        const tax = report.Functions.find(({ FunctionName }) => FunctionName === 'shop-dev-tax')
        assert.deepEqual(tax?.Changes, ['timeout 30 → 3, memorySize 256 → 128, environment (CURRENCY)'])
        const { configuration } = await client.getFunction({ functionName: 'shop-dev-tax' })
        assert.deepEqual([configuration.timeout, configuration.memorySize], [3, 128])
        assert.equal((await checkout(site, 'third')).bill['currency'], 'NOK')
      },
    )

    await t.test('a stand-in is replaced by what is really there', async () => {
      const report = await site.deploy('--parameter', 'Currency=NOK', '--stand-in', 'OrdersTable=orders-in-oslo')
      assert.deepEqual(report.StandIns, [{ Reference: 'OrdersTable', Value: 'orders-in-oslo' }])
      const { environment } = await client.getFunctionConfiguration({ functionName: 'shop-dev-checkout' })
      assert.equal(environment?.variables?.['ORDERS_TABLE'], 'orders-in-oslo')
    })

    await t.test('a stand-in for nothing is told', async () => {
      const { code, err } = await site.run('deploy', '--plan', '--parameter', 'Currency=NOK', '--stand-in', 'Orders=x')
      assert.equal(code, 0)
      assert.match(err, /nothing here refers to Orders: its --stand-in changes nothing/)
    })

    await t.test('what the template no longer has is deleted, when that is said', async () => {
      const file = join(folder, 'template.yaml')
      const text = await readFile(file, 'utf8')
      const start = text.indexOf('  # A plain function in JavaScript')
      await writeFile(file, text.slice(0, start) + text.slice(text.indexOf('  # Not part of Perdure')))
      const args = ['--parameter', 'Currency=NOK', '--stand-in', 'OrdersTable=orders-in-oslo']
      const refused = await site.run('deploy', ...args)
      assert.equal(refused.code, 2)
      assert.match(
        refused.err,
        /the stack shop no longer has shop-Health\n {2}so: nothing was deployed\n {2}fix: say --yes if that is meant/,
      )
      const report = await site.deploy(...args, '--yes')
      assert.deepEqual(report.Deletions, [{ FunctionName: 'shop-Health', RunningExecutions: 0 }])
      assert.deepEqual(outcomes(report), {
        'shop-dev-checkout': 'unchanged',
        'shop-dev-tax': 'unchanged',
        'shop-Health': 'deleted',
      })
    })

    await t.test('destroy takes the stack away, and nothing else', async () => {
      await client.createFunction({
        functionName: 'by-hand',
        role: 'arn:aws:iam::000000000000:role/any',
        runtime: 'python3.13',
        handler: 'tax.handler',
        code: { zipFile: zipOf({ name: 'tax.py', content: 'handler = None' }) },
      })
      const refused = await site.run('destroy', 'shop')
      assert.equal(refused.code, 2)
      assert.match(refused.err, /the stack shop has 2 functions: shop-dev-checkout, shop-dev-tax/)
      const destroyed = await site.run('destroy', 'shop', '--yes')
      assert.equal(destroyed.code, 0, destroyed.err)
      assert.equal(destroyed.out, 'deleted shop-dev-checkout\ndeleted shop-dev-tax\n')
      const left = (await client.listFunctions()).functions.map(({ functionName }) => functionName)
      assert.deepEqual(left, ['by-hand'])
      assert.match((await site.run('destroy', 'shop', '--yes')).err, /the server has no function of a stack shop/)
    })
  })
})

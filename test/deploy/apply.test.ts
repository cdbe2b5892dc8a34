/** Plans carried out on a real server: interrupted, overtaken, and with answers that were lost. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PerdureClient } from '../../src/client/client.ts'
import {
  applyPlan,
  type FunctionOutcome,
  isSettled,
  type PreparedStack,
  prepareStack,
  readStack,
  worldOf,
} from '../../src/deploy/index.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { startPerdureProcess } from '../start-perdure.ts'

async function clientOf(t: TestContext): Promise<PerdureClient> {
  const server = await startPerdureProcess({ data: temporaryDirectory(t), functions: [], log: { level: 'error' } })
  const client = new PerdureClient(server.endpoint)
  t.after(async () => {
    client.close()
    await server.kill()
  })
  return client
}

const functionOf = (name: string) => `
  ${name}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: ${name}
      Runtime: nodejs24.x
      Handler: index.handler
      InlineCode: exports.handler = async () => 1
      AutoPublishAlias: live
  Allow${name}:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref ${name}, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com }`

async function prepared(client: PerdureClient, ...names: readonly string[]): Promise<PreparedStack> {
  const { place } = await client.version()
  const text = `Resources:${names.map(functionOf).join('')}`
  const world = worldOf(place, 'shop')
  const stack = readStack({ text, file: 't', folder: '/', world, parameters: new Map(), standIns: new Map() })
  return await prepareStack(client, stack)
}

function applied(
  client: PerdureClient,
  { plan, packages }: PreparedStack,
  onDone: (outcome: FunctionOutcome) => void = () => {},
  signal = new AbortController().signal,
) {
  return applyPlan(plan, { client, packages, wait: async () => {}, onDone, signal })
}

const done = (outcomes: readonly FunctionOutcome[]) => outcomes.map((each) => `${each.done} ${each.name}`)

test('an interruption ends after the function that is under way, deletes nothing, and is gone on with', async (t) => {
  const client = await clientOf(t)
  await applied(client, await prepared(client, 'old'))
  const stop = new AbortController()
  const first = await applied(client, await prepared(client, 'one', 'two'), () => stop.abort(), stop.signal)
  assert.deepEqual(done(first), ['created one', 'not begun two', 'not begun old'])
  const second = await applied(client, await prepared(client, 'one', 'two'))
  assert.deepEqual(done(second), ['unchanged one', 'created two', 'deleted old'])
  assert.ok(isSettled((await prepared(client, 'one', 'two')).plan))
})

test('whatever was done of a plan already, the plan is carried out once more and then nothing is left', async (t) => {
  const client = await clientOf(t)
  const stack = await prepared(client, 'one')
  const [plan] = stack.plan.functions
  assert.ok(plan !== undefined)
  for (let steps = 1; steps <= plan.steps.length; steps += 1) {
    // The same creation whose answer was lost, from a machine that died after so many steps.
    const begun: PreparedStack = {
      ...stack,
      plan: { ...stack.plan, functions: [{ ...plan, steps: plan.steps.slice(0, steps) }] },
    }
    assert.deepEqual(done(await applied(client, begun)), ['created one'], `after ${steps} steps`)
    assert.deepEqual(done(await applied(client, stack)), ['created one'], `after ${steps} steps and all of them`)
    assert.ok(isSettled((await prepared(client, 'one')).plan), `after ${steps} steps`)
    await client.deleteFunction({ functionName: 'one' })
  }
})

test('a function that somebody else created meanwhile is left to them', async (t) => {
  const client = await clientOf(t)
  const stack = await prepared(client, 'one')
  const [bytes] = stack.packages.values()
  assert.ok(bytes !== undefined)
  const role = 'arn:aws:iam::000000000000:role/theirs'
  await client.createFunction({
    functionName: 'one',
    role,
    runtime: 'nodejs24.x',
    handler: 'a.b',
    code: { zipFile: bytes },
  })
  const [outcome] = await applied(client, stack)
  assert.equal(outcome?.done, 'failed')
  assert.match(outcome?.failure?.error.message ?? '', /Function already exist: one/)
  assert.equal((await client.getFunctionConfiguration({ functionName: 'one' })).role, role)
})

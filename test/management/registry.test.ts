/** The shell around the commands: what it stores, in which order, and what it does when the store says no. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from '../../src/functions/registry/code.ts'
import { createManagement } from '../../src/functions/registry/management.ts'
import { Registry } from '../../src/functions/registry/registry.ts'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import { PLACE } from '../server/stand-ins.ts'
import { zipOf } from './zip-of.ts'

const ONE = zipOf({ name: 'index.mjs', content: '1' })
const TWO = zipOf({ name: 'index.mjs', content: '2' })
const sha256 = hashOf

async function managed(store: MemoryStore, options: { allowDurableUpdates?: boolean; declared?: string } = {}) {
  const registry = await Registry.open(store, (message, error) => assert.fail(`${message}: ${String(error)}`))
  const management = createManagement({
    registry,
    place: PLACE,
    entropy: { hex: (bytes) => '0'.repeat(2 * bytes), uuid: () => crypto.randomUUID() },
    now: () => 1_700_000_000_000,
    declares: (name) => name === options.declared,
    missingRuntime: async () => undefined,
    allowDurableUpdates: options.allowDurableUpdates ?? false,
  })
  const create = (FunctionName: string, ZipFile: Uint8Array) =>
    management.perform('CreateFunction', {
      FunctionName,
      Role: 'arn:aws:iam::123456789012:role/r',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile },
    })
  return { registry, management, create }
}

test('code stays while a version of any function names it, and goes with the last one', async () => {
  const store = new MemoryStore()
  const { management, create } = await managed(store)
  await create('f', ONE)
  await create('g', ONE)
  await management.perform('PublishVersion', { FunctionName: 'f' })
  await management.perform('UpdateFunctionCode', { FunctionName: 'f', ZipFile: TWO })
  await management.perform('DeleteFunction', { FunctionName: 'g' })
  assert.deepEqual(await store.listCode(), [sha256(ONE), sha256(TWO)].sort(), 'version 1 of f has it')
  await management.perform('DeleteFunction', { FunctionName: 'f', Qualifier: '1' })
  assert.deepEqual(await store.listCode(), [sha256(TWO)])
  await management.perform('DeleteFunction', { FunctionName: 'f' })
  assert.deepEqual(await store.listCode(), [])
})

test('code of a layer stays while the layer or a function has it, whatever is deleted first', async () => {
  const store = new MemoryStore()
  const { registry, management, create } = await managed(store)
  const LayerName = 'l'
  await management.perform('PublishLayerVersion', { LayerName, Content: { ZipFile: ONE } })
  await create('f', TWO)
  const Layers = ['arn:aws:lambda:us-east-1:123456789012:layer:l:1']
  // At once: the function was told that the layer is there, so it has its code.
  await Promise.all([
    management.perform('UpdateFunctionConfiguration', { FunctionName: 'f', Layers }),
    management.perform('DeleteLayerVersion', { LayerName, VersionNumber: 1 }),
  ])
  assert.deepEqual(await store.listCode(), [sha256(ONE), sha256(TWO)].sort())
  await managed(store)
  assert.deepEqual(await store.listCode(), [sha256(ONE), sha256(TWO)].sort(), 'also after a restart')
  assert.equal(registry.codeBytes, TWO.length, 'a deleted layer takes no room of the account')
  await management.perform('DeleteFunction', { FunctionName: 'f' })
  assert.deepEqual(await store.listCode(), [])
})

test('code and layers together are no larger than code alone may be', async () => {
  const { management } = await managed(new MemoryStore())
  const half = 140_000_000
  const large = zipOf({ name: 'zeros', content: Buffer.alloc(half) })
  await management.perform('PublishLayerVersion', { LayerName: 'l', Content: { ZipFile: large } })
  const creation = {
    FunctionName: 'f',
    Role: 'arn:aws:iam::123456789012:role/r',
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
  }
  const Layers = ['arn:aws:lambda:us-east-1:123456789012:layer:l:1']
  const tooLarge = {
    name: 'InvalidParameterValueException',
    message: `Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is ${2 * half} bytes.`,
  }
  await assert.rejects(
    management.perform('CreateFunction', { ...creation, Code: { ZipFile: large }, Layers }),
    tooLarge,
  )
  await management.perform('CreateFunction', { ...creation, Code: { ZipFile: large } })
  await assert.rejects(management.perform('UpdateFunctionConfiguration', { FunctionName: 'f', Layers }), tooLarge)
  await management.perform('UpdateFunctionCode', { FunctionName: 'f', ZipFile: ONE })
  await management.perform('UpdateFunctionConfiguration', { FunctionName: 'f', Layers })
  await assert.rejects(management.perform('UpdateFunctionCode', { FunctionName: 'f', ZipFile: large }), tooLarge)
})

test('a command that is refused leaves no code behind', async () => {
  const store = new MemoryStore()
  const { management, create } = await managed(store)
  await create('f', ONE)
  const stale = { FunctionName: 'f', ZipFile: TWO, RevisionId: 'stale' }
  await assert.rejects(management.perform('UpdateFunctionCode', stale), { name: 'PreconditionFailedException' })
  await management.perform('UpdateFunctionCode', { FunctionName: 'f', ZipFile: TWO, DryRun: true })
  assert.deepEqual(await store.listCode(), [sha256(ONE)])
})

test('code that a crash left without a record is removed at the start', async () => {
  const store = new MemoryStore()
  const { create } = await managed(store)
  await create('f', ONE)
  await store.putCode({ sha256: sha256(TWO), bytes: TWO })
  const { management } = await managed(store)
  assert.deepEqual(await store.listCode(), [sha256(ONE)])
  assert.deepEqual(await management.packageOf(sha256(ONE)), Uint8Array.from(ONE))
})

test('nobody sees what is not durable, and after a rejected write the record is read again', async () => {
  class DoubtfulStore extends MemoryStore {
    fails: 'before' | 'after' | undefined

    override async putFunction(write: Parameters<MemoryStore['putFunction']>[0]): Promise<boolean> {
      const { fails } = this
      this.fails = undefined
      if (fails === 'before') throw new Error('the disk')
      const written = await super.putFunction(write)
      if (fails === 'after') throw new Error('the disk')
      return written
    }
  }
  const store = new DoubtfulStore()
  const { registry, management, create } = await managed(store)
  await create('f', ONE)
  const told: (number | undefined)[] = []
  registry.onChange((name) => told.push(registry.get(name)?.reservedConcurrency))
  const reserve = (ReservedConcurrentExecutions: number) =>
    management.perform('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions })
  for (const fails of ['before', 'after'] as const) {
    store.fails = fails
    await assert.rejects(reserve(1), /the disk/)
    assert.equal(registry.get('f')?.reservedConcurrency, undefined, `${fails}: not known, so not shown`)
  }
  await reserve(2)
  assert.deepEqual(told, [1, 2], 'what was stored after all is told of before the next change')
})

test('commands on one function take turns, so that none is lost', async () => {
  const store = new MemoryStore()
  const { registry, management, create } = await managed(store)
  await create('f', ONE)
  const Resource = 'arn:aws:lambda:us-east-1:123456789012:function:f'
  const keys = Array.from({ length: 30 }, (_, index) => `k${index}`)
  await Promise.all(keys.map((key) => management.perform('TagResource', { Resource, Tags: { [key]: 'v' } })))
  assert.deepEqual(Object.keys(registry.get('f')?.tags ?? {}).sort(), keys.sort())
  assert.equal((await store.listFunctions())[0]?.revision, 31)
})

test('a record that a later release wrote is not touched', async () => {
  const store = new MemoryStore()
  await store.putFunction({ row: { name: 'f', revision: 1, text: '{"v":2}' }, replaces: 0 })
  await assert.rejects(managed(store), /The record of the function f cannot be read: .* a newer release wrote it/)
})

test('[02 §2.7] durability may come later where the option permits it', async () => {
  const store = new MemoryStore()
  const { management, create } = await managed(store, { allowDurableUpdates: true })
  await create('f', ONE)
  const change = { FunctionName: 'f', DurableConfig: { ExecutionTimeout: 60 } }
  const answer = (await management.perform('UpdateFunctionConfiguration', change)) as { readonly DurableConfig: object }
  assert.deepEqual(answer.DurableConfig, { ExecutionTimeout: 60, RetentionPeriodInDays: 14 })
})

test('a function that is declared hides one that was created, until it is declared no more', async () => {
  const store = new MemoryStore()
  const { create } = await managed(store)
  await create('f', ONE)
  const { management } = await managed(store, { declared: 'f' })
  assert.equal(management.has('f'), false)
  assert.deepEqual(management.listed(), [])
  const { management: again } = await managed(store)
  assert.equal(again.has('f'), true)
})

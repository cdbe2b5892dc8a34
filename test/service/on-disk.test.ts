import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { type Outcome, ScriptedFunctions } from './scripted-functions.ts'
import { callback, invoke, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

describe('the service on SQLite', () => {
  it('goes on where it was after the process was replaced', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'perdure-service-'))
    let store = await openSqliteStore({ directory })
    try {
      const parent = new ScriptedFunctions().durable('parent', async (call) => {
        if (call.statusOf('i') === undefined) {
          await call.checkpoint([...stepDone('s', JSON.stringify('y'.repeat(30_000))), invoke('i', 'child:$LATEST')])
          await call.checkpoint([wait('w', 5), callback('c', { TimeoutSeconds: 60 })])
        }
        const open = call.operations.slice(1).some(({ Status }) => Status === 'STARTED')
        if (open || call.operations.length === 1) return { Status: 'PENDING' }
        const result = call.operations.slice(1).map(({ Id, Status }) => `${Id} ${Status}`)
        return { Status: 'SUCCEEDED', Result: result.join() }
      })
      const child = async (): Promise<Outcome> => ({ Status: 'SUCCEEDED', Result: '1' })
      parent.durable('child', child, { concurrency: 0 })
      let world = await World.open({ store, functions: parent })
      const started = await world.start('parent', { name: 'once' })
      await world.settle()
      // Twice the process ends and another opens the same directory; only then the child gets a process.
      for (const functions of [parent.reborn(), parent.reborn().durable('child', child)]) {
        await world.service.drain(0)
        await store.close()
        store = await openSqliteStore({ directory })
        world = await World.open({ store, functions, nowMs: world.clock.now(), entropy: world.entropy })
        assert.deepEqual(await world.start('parent', { name: 'once' }), started)
        await world.clock.advance(5_000)
      }
      await world.clock.advance(60_000)
      assert.deepEqual(await world.end(started), {
        status: 'SUCCEEDED',
        result: 's SUCCEEDED,i SUCCEEDED,w SUCCEEDED,c TIMED_OUT',
      })
      const { Events } = await world.history(started)
      assert.deepEqual(
        Events.map(({ EventId }) => EventId),
        Events.map((_, i) => i + 1),
      )
      await world.service.drain(0)
    } finally {
      await store.close()
      await rm(directory, { recursive: true })
    }
  })
})

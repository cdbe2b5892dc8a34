/** The machine itself: that it is independent, binds what it cannot know, shortens, and sees what is wrong. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CELLS, REACHABLE, UNREACHABLE, whyUnreachable } from './cells.ts'
import type { Command } from './commands.ts'
import { directed } from './directed.ts'
import { randomSequence } from './generator.ts'
import { Likeness } from './likeness.ts'
import { Instant } from './model/values.ts'
import { World } from './model/world.ts'
import { shrink } from './shrink.ts'
import { Subject } from './subject.ts'
import { trial } from './trial.ts'

describe('the model', () => {
  it('shares no code with the product, nor with anything that does', () => {
    const folder = join(import.meta.dirname, 'model')
    for (const file of readdirSync(folder)) {
      const imports = readFileSync(join(folder, file), 'utf8').matchAll(/from '([^']+)'/g)
      for (const [, path = ''] of imports)
        assert.match(path, /^(\.\/[a-z-]+\.ts|\.\.\/commands\.ts)$/, `${file}: ${path}`)
    }
    assert.doesNotMatch(readFileSync(join(import.meta.dirname, 'commands.ts'), 'utf8'), /from '\.\.\//)
  })

  it('answers a sequence the same way every time', () => {
    const play = (): string => {
      const world = new World()
      const answers = randomSequence(7).map((command) =>
        command.do === 'advance' ? undefined : world.perform(command),
      )
      return JSON.stringify([answers, [...world.executions.values()]])
    }
    assert.equal(play(), play())
  })
})

describe('the coverage table', () => {
  it('gives one reason for every cell that it declares unreachable, and no reason for nothing', () => {
    const reasons = new Set(CELLS.map(whyUnreachable))
    for (const { because } of UNREACHABLE) assert.ok(reasons.has(because), because)
    assert.equal(CELLS.length, REACHABLE.length + CELLS.filter((cell) => whyUnreachable(cell) !== undefined).length)
  })
})

describe('a comparison', () => {
  it('binds what it sees first, and takes nothing else for it afterwards', () => {
    const like = new Likeness(0)
    assert.equal(like.difference({ Token: '«token a 1.0»' }, { Token: 'abc' }, 's'), undefined)
    assert.equal(like.difference('«token a 1.0»', 'abc', 's'), undefined)
    assert.match(like.difference('«token a 1.0»', 'abd', 's') ?? '', /not the «token a 1.0» it was before/)
    assert.match(like.difference('«token a 1.1»', 'abc', 's') ?? '', /another's/)
    assert.equal(like.known('before «token a 1.0» after'), 'before abc after')
  })

  it('finds names inside of texts', () => {
    const like = new Likeness(0)
    assert.equal(like.difference('arn:x/«name n»/«execution e»', 'arn:x/one/two', 's'), undefined)
    assert.equal(like.known('«execution e» of «name n»'), 'two of one')
    assert.notEqual(like.difference('arn:x/«name n»/«execution e»', 'arn:x/one/three', 's'), undefined)
  })

  it('takes points in time to the millisecond, and every member that is absent or too much', () => {
    const like = new Likeness(1_000_000)
    assert.equal(like.difference(new Instant(7), 1000.007, 's'), undefined)
    assert.match(like.difference(new Instant(7), 1000.008, 's') ?? '', /1 ms off/)
    assert.equal(like.difference(new Instant(7), 1_000_007, 'ms'), undefined)
    assert.match(like.difference({ a: 1 }, {}, 's') ?? '', /\.a: absent/)
    assert.match(like.difference({}, { a: 1 }, 's') ?? '', /\.a: expected to be absent/)
    assert.match(like.difference([1], [1, 2], 's') ?? '', /too much is 2/)
  })
})

describe('a sequence that shows a difference', () => {
  it('is shortened to what is needed', async () => {
    const commands = Array.from({ length: 40 }, (_, ms): Command => ({ do: 'advance', ms }))
    const needed = [3, 17, 18]
    const fails = async (candidate: readonly Command[]): Promise<boolean> =>
      needed.every((ms) => candidate.some((command) => command.do === 'advance' && command.ms === ms))
    const shortest = await shrink(commands, fails)
    assert.deepEqual(
      shortest.map((command) => (command.do === 'advance' ? command.ms : undefined)),
      needed,
    )
  })
})

describe('a trial', () => {
  it('finds a server that does as the oracle says without a difference', { timeout: 120_000 }, async () => {
    const subject = await Subject.open('memory')
    try {
      const sequence = directed().find(({ title }) => title === 'STEP START from READY: accepted')
      assert.ok(sequence !== undefined)
      assert.equal(await trial(sequence.commands, [subject]), undefined)
      assert.equal(await trial(randomSequence(1), [subject]), undefined)
    } finally {
      await subject.close()
    }
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAtLeast, jsonObject, levelOf } from './log-line.ts'

test('the level is read in every form that runtimes and loggers write', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['{"level":"WARN","message":"x"}', 'WARN'],
    ['{"level":"warning"}', 'WARN'],
    ['{"log_level":"CRITICAL"}', 'FATAL'],
    ['{"severity":"notice"}', 'INFO'],
    ['{"level":30}', undefined],
    ['{"level":"loud"}', undefined],
    ['{"message":"ERROR"}', undefined],
    ['{"level":"ERROR"', undefined],
    ['2026-01-01T12:00:00.000Z\t8f0f\tERROR\tno stock', 'ERROR'],
    ['2026-01-01T12:00:00.000Z\tundefined\tINFO\tloading', 'INFO'],
    ['[WARNING]\t2026-01-01T12:00:00.000Z\t8f0f\tlate', 'WARN'],
    ['[ERROR] KeyError: 1', 'ERROR'],
    ['ERROR\tInvoke Error\t{}', 'ERROR'],
    ['ERROR without a tab', undefined],
    ['[notes] of a meeting', undefined],
    ['START RequestId: 1 Version: $LATEST', undefined],
    ['REPORT RequestId: 1\tDuration: 1 ms', undefined],
    ['', undefined],
  ]
  for (const [line, level] of table) assert.equal(levelOf(line), level, line)
})

test('only whole objects are objects', () => {
  assert.deepEqual(jsonObject(' {"a":1} '), { a: 1 })
  for (const line of ['[1]', '1', 'null', '"{}"', '{', '{"a":1} x', '']) assert.equal(jsonObject(line), undefined, line)
})

test('levels have an order', () => {
  assert.ok(isAtLeast('ERROR', 'WARN'))
  assert.ok(isAtLeast('WARN', 'WARN'))
  assert.ok(!isAtLeast('DEBUG', 'INFO'))
})

/** The deliberate faults must fit the product as it is: each edit finds its place, once, and changes it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MACHINES } from '../proof/machines.ts'
import { Copy } from './copy.ts'
import { FAULTS } from './faults.ts'

const copy = new Copy()
after(() => copy.remove())

for (const { what, edits, tried } of FAULTS) {
  test(`it can be broken: ${what}`, () => {
    for (const { find, replace } of edits) assert.notEqual(find, replace)
    copy.edit(edits)()
    for (const name of tried)
      assert.ok(
        MACHINES.some((machine) => machine.name === name),
        name,
      )
  })
}

test('every promise is broken by some fault, and every machine is tried on some', () => {
  assert.deepEqual([...new Set(FAULTS.map(({ promise }) => promise))].sort(), [
    'P1',
    'P2',
    'P3',
    'P4',
    'P5',
    'P6',
    'P7',
  ])
  const tried = new Set(FAULTS.flatMap((fault) => fault.tried))
  assert.deepEqual([...tried].sort(), MACHINES.map(({ name }) => name).sort())
})

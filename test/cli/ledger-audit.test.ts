import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLedger, ledgerFaults, parseLedger } from '../../src/cli/demo/ledger-audit.ts'

const ledger = (...facts: readonly string[]) =>
  parseLedger(facts.map((fact) => `2025-01-01T00:00:00.000Z\t${fact}\n`).join(''))
const mine = new Set(['order-1', 'child'])

test('a step that was interrupted before it finished may run again', () => {
  const lines = ledger('ran\torder-1\tpack\t11', 'ran\torder-1\tpack\t12', 'finished\torder-1\tpack\t12')
  const audits = auditLedger(lines, mine)
  assert.deepEqual(audits, [
    { execution: 'order-1', step: 'pack', ran: 2, finished: true, ranAfterFinishing: 0, pids: [11, 12] },
  ])
  assert.deepEqual(ledgerFaults(audits, ['pack']), [])
})

test('a step that runs after it has finished is a fault', () => {
  const lines = ledger(
    'ran\torder-1\tpay\t11',
    'finished\torder-1\tpay\t11',
    'ran\torder-1\tpay\t12',
    'finished\torder-1\tpay\t12',
  )
  assert.deepEqual(ledgerFaults(auditLedger(lines, mine), ['pay']), [
    'step "pay" ran 1 times more after it had finished',
  ])
})

test('a workflow that resumes reaches the line after a finished step again, which is no fault', () => {
  const lines = ledger('ran\torder-1\tpay\t11', 'finished\torder-1\tpay\t11', 'finished\torder-1\tpay\t12')
  assert.deepEqual(ledgerFaults(auditLedger(lines, mine), ['pay']), [])
})

test('a step that never ran, and one that never finished, are faults', () => {
  const audits = auditLedger(ledger('ran\torder-1\tpay\t11'), mine)
  assert.deepEqual(ledgerFaults(audits, ['pay', 'ship']), [
    'step "ship" is not in the ledger',
    'step "pay" never finished',
  ])
})

test('the same step of two executions is two steps, and other executions do not count', () => {
  const lines = ledger(
    'ran\torder-1\tpay\t1',
    'finished\torder-1\tpay\t1',
    'ran\tchild\tpay\t2',
    'finished\tchild\tpay\t2',
    'ran\torder-0\tpay\t3',
  )
  const audits = auditLedger(lines, mine)
  assert.deepEqual(
    audits.map((audit) => [audit.execution, audit.ran, audit.ranAfterFinishing]),
    [
      ['order-1', 1, 0],
      ['child', 1, 0],
    ],
  )
})

test('a last line that a crash cut off is left out, a broken line elsewhere is not', () => {
  assert.equal(parseLedger('2025-01-01\tran\torder-1\tpay\t1\n2025-01-01\tran\tord').length, 1)
  assert.throws(() => parseLedger('nonsense\n'), /not a line of a ledger/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLines } from '../../src/cli/render/plan-lines.ts'
import { plain } from '../../src/cli/terminal.ts'
import type { StackPlan } from '../../src/deploy/index.ts'

const place = { file: 'template.yaml', line: 1, column: 1 }
const role = (name: string) => ({
  place,
  what: name,
  type: 'AWS::IAM::Role',
  reason: 'nothing checks permissions here',
})

test('a plan names what is done, what is ignored by reason, and stand-ins once', () => {
  const plan: StackPlan = {
    stack: 'shop',
    layers: [
      { logicalId: 'L', name: 'words', version: undefined, members: {} },
      { logicalId: 'M', name: 'more', version: '3', members: {} },
    ],
    functions: [
      {
        name: 'orders',
        logicalId: 'Orders',
        arn: undefined,
        action: 'create',
        changes: ['python3.13'],
        steps: [],
        versions: new Map(),
      },
      {
        name: 'tax',
        logicalId: 'Tax',
        arn: 'a',
        action: 'change',
        changes: ['code', 'timeout 3 → 30'],
        steps: [],
        versions: new Map(),
      },
      {
        name: 'health',
        logicalId: 'Health',
        arn: 'a',
        action: 'unchanged',
        changes: [],
        steps: [],
        versions: new Map(),
      },
    ],
    deletions: [
      { name: 'old', runningExecutions: 0 },
      { name: 'older', runningExecutions: 2 },
    ],
    kept: ['gold'],
    ignored: [
      ...['A', 'B', 'C', 'D', 'E', 'F'].map(role),
      { place, what: 'Orders.Policies', type: 'Policies', reason: 'nothing here' },
    ],
    standIns: [
      { place, reference: 'Table', type: 'AWS::DynamoDB::Table', value: 'shop-Table' },
      { place, reference: 'Table', type: 'AWS::DynamoDB::Table', value: 'shop-Table' },
      { place, reference: 'A.Arn', type: 'AWS::IAM::Role', value: 'arn' },
    ],
    problems: [],
  }
  assert.deepEqual(planLines(plan, 'http://server', plain), [
    'stack shop at http://server',
    '  create     words   a new version of the layer',
    '  unchanged  more    version 3 of the layer',
    '  create     orders  python3.13',
    '  change     tax     code; timeout 3 → 30',
    '  unchanged  health',
    '  delete     old     the stack no longer has it',
    '  delete     older   the stack no longer has it (2 running executions will fail when invoked next)',
    '  kept       gold    the stack no longer has it, and its DeletionPolicy was Retain',
    '  ignored    A (AWS::IAM::Role), B (AWS::IAM::Role), C (AWS::IAM::Role), D (AWS::IAM::Role) and 2 more: nothing checks permissions here',
    '  ignored    Orders.Policies: nothing here',
    '  stand-in   Table is "shop-Table"',
  ])
})

/** A plan for people. Pure. */
import type { FunctionPlan, StackPlan } from '../../deploy/index.ts'
import type { Paint, Style } from '../terminal.ts'

const STYLES: Readonly<Record<FunctionPlan['action'] | 'delete', Style>> = {
  create: 'green',
  change: 'yellow',
  unchanged: 'dim',
  delete: 'red',
}
const ACTION_WIDTH = 'unchanged'.length

export function planLines(plan: StackPlan, endpoint: string, paint: Paint): readonly string[] {
  const { layers, functions, deletions, ignored, standIns } = plan
  const widest = Math.max(
    0,
    ...[...[...layers, ...functions].map(({ name }) => name), ...deletions].map(({ length }) => length),
  )
  const line = (action: keyof typeof STYLES, name: string, what: string) =>
    `  ${paint(STYLES[action], action.padEnd(ACTION_WIDTH))}  ${name.padEnd(widest)}  ${what}`.trimEnd()
  return [
    `stack ${paint('bold', plan.stack)} at ${endpoint}`,
    ...layers.map(({ name, version }) =>
      version === undefined
        ? line('create', name, 'a new version of the layer')
        : line('unchanged', name, `version ${version} of the layer`),
    ),
    ...functions.map(({ action, name, changes }) => line(action, name, changes.join('; '))),
    ...deletions.map((name) => line('delete', name, 'the stack no longer has it')),
    ...ignored.map(
      ({ what, type, reason }) =>
        `  ${paint('dim', 'ignored'.padEnd(ACTION_WIDTH))}  ${what}${what.endsWith(type) ? '' : ` (${type})`}: ${reason}`,
    ),
    ...[...new Map(standIns.map((each) => [each.reference, each])).values()].map(
      ({ reference, value }) => `  ${paint('dim', 'stand-in'.padEnd(ACTION_WIDTH))}  ${reference} is "${value}"`,
    ),
  ]
}

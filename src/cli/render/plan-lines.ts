/** A plan for people. Pure. */
import type { FunctionPlan, StackPlan } from '../../deploy/index.ts'
import type { Paint, Style } from '../terminal.ts'
import { counted } from './amounts.ts'

const STYLES: Readonly<Record<FunctionPlan['action'] | 'delete' | 'kept', Style>> = {
  create: 'green',
  change: 'yellow',
  unchanged: 'dim',
  delete: 'red',
  kept: 'dim',
}
const ACTION_WIDTH = 'unchanged'.length

export function planLines(plan: StackPlan, endpoint: string, paint: Paint): readonly string[] {
  const { layers, functions, deletions, kept, ignored, standIns } = plan
  const widest = Math.max(
    0,
    ...[...layers, ...functions, ...deletions].map(({ name }) => name.length),
    ...kept.map(({ length }) => length),
  )
  const line = (action: keyof typeof STYLES, name: string, what: string) =>
    `  ${paint(STYLES[action], action.padEnd(ACTION_WIDTH))}  ${name.padEnd(widest)}  ${what}`.trimEnd()
  const note = (kind: string, text: string) => `  ${paint('dim', kind.padEnd(ACTION_WIDTH))}  ${text}`
  return [
    `stack ${paint('bold', plan.stack)} at ${endpoint}`,
    ...layers.map(({ name, version }) =>
      version === undefined
        ? line('create', name, 'a new version of the layer')
        : line('unchanged', name, `version ${version} of the layer`),
    ),
    ...functions.map(({ action, name, changes }) => line(action, name, changes.join('; '))),
    ...deletions.map(({ name, runningExecutions }) =>
      line('delete', name, `the stack no longer has it${endingText(runningExecutions)}`),
    ),
    ...kept.map((name) => line('kept', name, 'the stack no longer has it, and its DeletionPolicy was Retain')),
    ...ignoredLines(ignored).map((text) => note('ignored', text)),
    ...standInLines(standIns).map((text) => note('stand-in', text)),
  ]
}

/** Of those with the same reason so many are named. */
const MOST_NAMED = 4

/** One line for each reason: an application of the CDK has dozens of roles. */
function ignoredLines(ignored: StackPlan['ignored']): readonly string[] {
  return [...Map.groupBy(ignored, ({ reason }) => reason)].map(([reason, all]) => {
    const names = all.map(({ what, type }) => (what.endsWith(type) ? what : `${what} (${type})`))
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''
    return `${names.slice(0, MOST_NAMED).join(', ')}${more}: ${reason}`
  })
}

/** Each once; roles are left out, for nobody looks at them. */
function standInLines(standIns: StackPlan['standIns']): readonly string[] {
  const shown = standIns.filter(({ type }) => type !== 'AWS::IAM::Role')
  return [...new Map(shown.map(({ reference, value }) => [reference, `${reference} is "${value}"`])).values()]
}

/** What a deletion does to executions, as the end of a sentence. */
export const endingText = (runningExecutions: number): string =>
  runningExecutions === 0 ? '' : ` (${counted(runningExecutions, 'running execution')} will fail when invoked next)`

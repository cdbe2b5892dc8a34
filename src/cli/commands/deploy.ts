/** `perdure deploy`: brings the functions of a template, an assembly or a config file to a server. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PerdureClient } from '../../client/client.ts'
import type { FunctionOutcome, PreparedStack, StackPlan } from '../../deploy/index.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, type Surroundings } from '../command.ts'
import { confirmed, YES_OPTION } from '../deploy/confirmation.ts'
import { deploying } from '../deploy/modules.ts'
import { deployFailure } from '../deploy/problems.ts'
import { desiredStacks } from '../deploy/sources.ts'
import { CliFailure, EXIT, explain, usageFailure } from '../failure.ts'
import { formatOf, printOne } from '../output.ts'
import { counted } from '../render/amounts.ts'
import { planLines } from '../render/plan-lines.ts'

export const deploy = defineCommand({
  name: 'deploy',
  summary: 'Bring the functions of a SAM, CloudFormation or CDK project, or of a config file, to a server',
  operands: '[<template|cdk.out|perdure.config.*>]',
  operandCount: [0, 1],
  options: {
    plan: { type: 'boolean', help: 'Show what would be done, and do nothing' },
    'stack-name': {
      type: 'string',
      value: '<name>',
      help: "Name of the stack (default: samconfig's, else the folder's); of an assembly, which of its stacks",
    },
    parameter: { type: 'string', short: 'p', value: '<name=value>', multiple: true, help: 'Value of a parameter' },
    'stand-in': {
      type: 'string',
      value: '<resource[.attribute]=value>',
      multiple: true,
      help: 'What a reference to something that is not deployed is to be',
    },
    ...YES_OPTION,
    ...CLIENT_OPTIONS,
  },
  notes: [
    'Without an operand: template.yaml, .yml or .json, cdk.out, or perdure.config.* of the working directory.',
    'On a terminal you are asked before anything is done. Exit code 1 when something could not be deployed.',
  ],
  examples: [
    'perdure deploy',
    'perdure deploy template.yaml --parameter Stage=prod --plan',
    'perdure deploy cdk.out --endpoint http://perdure.internal:7077 --yes',
  ],
  async run({ values, operands, cwd, env, ...surroundings }) {
    const { terminal, stopSignal } = surroundings
    formatOf(values)
    const client = clientFor(values, env)
    const options = {
      operand: operands[0],
      cwd,
      stackName: values['stack-name'],
      parameters: pairsOf('parameter', values.parameter),
      standIns: pairsOf('stand-in', values['stand-in']),
    }
    const { prepareStack } = await deploying()
    const reports: StackReport[] = []
    try {
      const { place } = await client.version()
      // All is known of all stacks before anything is done to one.
      const prepared: PreparedStack[] = []
      for (const stack of await desiredStacks(options, place)) prepared.push(await prepareStack(client, stack))
      for (const name of unusedOf(options.standIns, prepared)) {
        terminal.err(`perdure: nothing here refers to ${name}: its --stand-in changes nothing`)
      }
      for (const { plan } of formatOf(values) === 'table' ? prepared : []) {
        for (const line of planLines(plan, client.endpoint, terminal.paint)) terminal.out(line)
      }
      for (const stack of prepared) {
        if (values.plan === true) {
          reports.push(described(stack.plan))
        } else {
          const consequence = consequenceOf(reports)
          const outcomes = await carriedOut(stack, { client, yes: values.yes === true, consequence, surroundings })
          reports.push({ ...described(stack.plan), outcomes })
          if (stopSignal().aborted) break
        }
      }
    } catch (error) {
      throw await deployFailure(error, terminal, consequenceOf(reports))
    }
    client.close()
    if (formatOf(values) !== 'table') printOne(terminal, values, { stacks: reports }, () => [])
    if (stopSignal().aborted) throw new CliFailure(STOPPED, EXIT.interrupted)
    const undone = reports.flatMap(({ outcomes = [] }) => outcomes.filter(({ done }) => UNDONE.has(done)))
    if (undone.length === 0) return EXIT.ok
    throw new CliFailure({
      cause: `${counted(undone.length, 'function')} could not be deployed: ${undone.map(({ functionName }) => functionName).join(', ')}`,
      consequence: 'what was done before stays as it is',
      fix: 'correct what is told above, and deploy again: it goes on where it stopped',
    })
  },
})

const UNDONE = new Set<FunctionOutcome['done']>(['failed', 'not begun'])

const STOPPED = {
  cause: 'interrupted',
  consequence: 'what was done before stays as it is',
  fix: 'deploy again: it goes on where it stopped',
}

/** A name that was misspelt would leave another stand-in in its place. */
function unusedOf(standIns: ReadonlyMap<string, string>, prepared: readonly PreparedStack[]): readonly string[] {
  const used = new Set(prepared.flatMap(({ plan }) => plan.standIns.map(({ reference }) => reference)))
  return [...standIns.keys()].filter((name) => !used.has(name))
}

const consequenceOf = (reports: readonly StackReport[]): string =>
  reports.length === 0 ? 'nothing was deployed' : `only ${reports.map(({ stack }) => stack).join(', ')} was deployed`

interface Work {
  readonly client: PerdureClient
  readonly yes: boolean
  /** Of an answer of no. */
  readonly consequence: string
  readonly surroundings: Pick<Surroundings, 'terminal' | 'stopSignal' | 'ask'>
}

async function carriedOut(
  { plan, packages }: PreparedStack,
  { client, yes, consequence, surroundings }: Work,
): Promise<readonly OutcomeReport[]> {
  const { terminal, stopSignal, ask } = surroundings
  const { applyPlan, isSettled } = await deploying()
  if (isSettled(plan)) {
    terminal.err(`stack ${plan.stack}: nothing to change`)
    return plan.functions.map(({ name }) => ({ functionName: name, done: 'unchanged' }))
  }
  const deleted = plan.deletions.length === 0 ? '' : `, which deletes ${counted(plan.deletions.length, 'function')}`
  await confirmed({
    question: `Deploy the stack ${plan.stack}${deleted}?`,
    needed: plan.deletions.length > 0,
    cause: `the stack ${plan.stack} no longer has ${plan.deletions.map(({ name }) => name).join(', ')}`,
    consequence,
    yes,
    ask,
  })
  const outcomes = await applyPlan(plan, {
    client,
    packages,
    wait: async (ms) => await sleep(ms),
    signal: stopSignal(),
    onDone: (outcome) => {
      if (outcome.done !== 'unchanged' && outcome.done !== 'not begun') terminal.err(outcomeLine(outcome))
    },
  })
  return outcomes.map(({ name, done, failure }) => ({
    functionName: name,
    done,
    ...(failure !== undefined && { failure: { step: failure.step, message: failure.error.message } }),
  }))
}

function outcomeLine({ name, done, failure }: FunctionOutcome): string {
  if (failure === undefined) return `${done} ${name}`
  const { text } = explain(failure.error) ?? { text: { cause: failure.error.message } }
  return `failed ${name}, at ${failure.step}: ${text.cause}`
}

interface OutcomeReport {
  readonly functionName: string
  readonly done: FunctionOutcome['done']
  readonly failure?: { readonly step: string; readonly message: string }
}

/** What programs read. */
interface StackReport {
  readonly stack: string
  readonly layers: readonly { readonly layerName: string; readonly logicalId: string; readonly action: string }[]
  readonly functions: readonly {
    readonly functionName: string
    readonly logicalId: string
    readonly action: string
    readonly changes: readonly string[]
  }[]
  readonly deletions: readonly { readonly functionName: string; readonly runningExecutions: number }[]
  readonly kept: readonly string[]
  readonly ignored: readonly { readonly what: string; readonly type: string; readonly reason: string }[]
  readonly standIns: readonly { readonly reference: string; readonly value: string }[]
  readonly outcomes?: readonly OutcomeReport[]
}

function described(plan: StackPlan): StackReport {
  return {
    stack: plan.stack,
    layers: plan.layers.map(({ name: layerName, logicalId, version }) => ({
      layerName,
      logicalId,
      action: version === undefined ? 'create' : 'unchanged',
    })),
    functions: plan.functions.map(({ name: functionName, logicalId, action, changes }) => ({
      functionName,
      logicalId,
      action,
      changes,
    })),
    deletions: plan.deletions.map(({ name: functionName, runningExecutions }) => ({ functionName, runningExecutions })),
    kept: plan.kept,
    ignored: plan.ignored.map(({ what, type, reason }) => ({ what, type, reason })),
    standIns: plan.standIns.map(({ reference, value }) => ({ reference, value })),
  }
}

/** `Name=value`; the value may have `=` in it, and may be empty. */
function pairsOf(option: string, given: readonly string[] | undefined): ReadonlyMap<string, string> {
  return new Map(
    (given ?? []).map((pair) => {
      const equals = pair.indexOf('=')
      if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)]
      throw usageFailure(`--${option} "${pair}" is not a name with a value`, `for example --${option} Name=value`)
    }),
  )
}

/** `perdure destroy`: takes the functions of a stack from a server. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { confirmed, YES_OPTION } from '../deploy/confirmation.ts'
import { deploying } from '../deploy/modules.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { counted } from '../render/amounts.ts'
import { endingText } from '../render/plan-lines.ts'

export const destroy = defineCommand({
  name: 'destroy',
  summary: 'Delete the functions of a stack that was deployed',
  operands: '<stack>',
  operandCount: [1, 1],
  options: { ...YES_OPTION, ...CLIENT_OPTIONS },
  notes: [
    'Running executions fail when they need their function next; histories stay. Functions of other stacks stay, too.',
  ],
  examples: ['perdure destroy shop', 'perdure destroy shop --yes'],
  async run({ values, operands, terminal, env, ask }) {
    const stack = operands[0] ?? ''
    const client = clientFor(values, env)
    const { deleteFunction, functionsOf, stackNames } = await deploying()
    const { deletions: functions, kept } = await functionsOf(client, stack)
    for (const name of kept) terminal.err(`${name} stays: its DeletionPolicy is Retain`)
    if (functions.length === 0) {
      const stacks = await stackNames(client)
      throw new CliFailure({
        cause: `the server has no function of a stack ${stack}${kept.length === 0 ? '' : ' that may be deleted'}`,
        consequence: 'nothing was deleted',
        fix: stacks.length === 0 ? 'it has no stacks: there is nothing to do' : `it has ${stacks.join(', ')}`,
      })
    }
    const running = functions.reduce((sum, { runningExecutions }) => sum + runningExecutions, 0)
    const listed = `${functions.map(({ name }) => name).join(', ')}${endingText(running)}`
    await confirmed({
      question: `Delete ${listed}?`,
      needed: true,
      cause: `the stack ${stack} has ${counted(functions.length, 'function')}: ${listed}`,
      consequence: 'nothing was deleted',
      yes: values.yes === true,
      ask,
    })
    const outcomes = []
    for (const { name } of functions) outcomes.push(await deleteFunction(name, { client }))
    client.close()
    const shown = outcomes.map(({ name: functionName, done, failure }) => ({
      functionName,
      done,
      ...(failure !== undefined && { message: failure.error.message }),
    }))
    printOne(terminal, values, { stack, outcomes: shown }, () =>
      shown.map(
        ({ functionName, done, message }) => `${done} ${functionName}${message === undefined ? '' : `: ${message}`}`,
      ),
    )
    return shown.every(({ done }) => done === 'deleted') ? EXIT.ok : EXIT.failed
  },
})

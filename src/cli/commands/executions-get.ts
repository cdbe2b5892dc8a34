/** `perdure executions get`: one execution with its input and its result or error. */
import type { DescribedExecution } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { duration, localTime, printable, seconds } from '../render/amounts.ts'
import { describedLines } from '../render/description.ts'
import { errorText } from '../render/execution-tree.ts'
import type { Paint } from '../terminal.ts'

export const executionsGet = defineCommand({
  name: 'executions get',
  summary: 'Show one execution: status, times, input, result or error',
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: CLIENT_OPTIONS,
  notes: [EXECUTION_NOTE],
  examples: ['perdure executions get order/order-1001', 'perdure executions get order-1001 --json'],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const execution = await client.getDurableExecution({
      durableExecutionArn: await resolveExecution(client, operands[0] ?? ''),
      includeExecutionData: true,
    })
    client.close()
    printOne(terminal, values, execution, () => descriptionLines(execution, Date.now(), terminal.paint))
    return EXIT.ok
  },
})

export function descriptionLines(execution: DescribedExecution, nowMs: number, paint: Paint): readonly string[] {
  const ended = execution.endTimestamp
  const took = duration((ended ?? nowMs) - execution.startTimestamp)
  const members: (readonly [string, string | undefined])[] = [
    ['ARN', execution.durableExecutionArn],
    ['Name', execution.durableExecutionName],
    ['Function', execution.functionArn],
    ['Status', execution.status],
    ['Started', localTime(execution.startTimestamp)],
    ['Ended', ended === undefined ? `not yet, runs for ${took}` : `${localTime(ended)}, after ${took}`],
    ['Timeout', execution.durableConfig && seconds(execution.durableConfig.executionTimeout)],
    ['Input', execution.inputPayload],
    ['Result', execution.result],
    ['Error', execution.error && errorText(execution.error)],
    ['Error data', execution.error?.errorData],
  ]
  return [
    ...describedLines(members, paint),
    ...(execution.error?.stackTrace ?? []).map((frame) => `            ${printable(frame.trim())}`),
  ]
}

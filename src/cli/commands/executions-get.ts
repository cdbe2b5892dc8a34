/** `perdure executions get`: one execution with its input and its result or error. */
import type { DescribedExecution } from '../../client/client.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { forPrograms } from '../json.ts'
import { duration, localTime, printable } from '../render/amounts.ts'
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
    const execution = await client.getExecution(await resolveExecution(client, operands[0] ?? ''))
    client.close()
    if (values.json === true) terminal.out(forPrograms(execution))
    else for (const line of descriptionLines(execution, Date.now(), terminal.paint)) terminal.out(line)
    return EXIT.ok
  },
})

export function descriptionLines(execution: DescribedExecution, nowMs: number, paint: Paint): readonly string[] {
  const ended = execution.EndTimestamp
  const took = duration((ended ?? nowMs) - execution.StartTimestamp)
  const members: (readonly [string, string | undefined])[] = [
    ['ARN', execution.DurableExecutionArn],
    ['Name', execution.DurableExecutionName],
    ['Function', execution.FunctionArn],
    ['Status', execution.Status],
    ['Started', localTime(execution.StartTimestamp)],
    ['Ended', ended === undefined ? `not yet, runs for ${took}` : `${localTime(ended)}, after ${took}`],
    ['Timeout', execution.DurableConfig && `${execution.DurableConfig.ExecutionTimeout} s`],
    ['Input', execution.InputPayload],
    ['Result', execution.Result],
    ['Error', execution.Error && errorText(execution.Error)],
    ['Error data', execution.Error?.ErrorData],
  ]
  const lines = members.flatMap(([name, value]) =>
    value === undefined ? [] : [`${paint('dim', name.padEnd(10))}  ${printable(value)}`],
  )
  return [...lines, ...(execution.Error?.StackTrace ?? []).map((frame) => `            ${printable(frame.trim())}`)]
}

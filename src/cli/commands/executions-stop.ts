/** `perdure executions stop`: ends an execution now. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, quoted, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { localTime } from '../render/amounts.ts'
import { ERROR_OPTIONS, errorFrom } from './callbacks-fail.ts'

export const executionsStop = defineCommand({
  name: 'executions stop',
  summary: 'Stop an execution: nothing of it runs any more',
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: { ...ERROR_OPTIONS, ...CLIENT_OPTIONS },
  notes: [EXECUTION_NOTE, 'Stopping a closed execution changes nothing and shows when it ended.'],
  examples: ['perdure executions stop order-1001', `perdure executions stop order-1001 --message 'ordered twice'`],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const arn = await resolveExecution(client, operands[0] ?? '')
    const answer = await client.stopDurableExecution({ durableExecutionArn: arn, error: errorFrom(values) })
    client.close()
    printOne(
      terminal,
      values,
      { durableExecutionArn: arn, ...answer },
      () => `${quoted(arn)} ended at ${localTime(answer.stopTimestamp)}`,
    )
    return EXIT.ok
  },
})

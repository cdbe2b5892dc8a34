/** `perdure executions delete`: removes a closed execution with everything that is kept of it. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, quoted, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { localTime } from '../render/amounts.ts'

export const executionsDelete = defineCommand({
  name: 'executions delete',
  summary: 'Delete a closed execution: input, result, history; not its logs',
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: CLIENT_OPTIONS,
  notes: [
    EXECUTION_NOTE,
    'It cannot be undone. The execution shows as DELETING until its data is gone; then its name is free again.',
  ],
  examples: [
    'perdure executions delete order/order-1001',
    `perdure executions list order -s FAILED --all -o ndjson | jq -r .DurableExecutionArn | xargs -n 1 perdure executions delete`,
  ],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const durableExecutionArn = await resolveExecution(client, operands[0] ?? '')
    const answer = await client.deleteDurableExecution({ durableExecutionArn })
    client.close()
    printOne(terminal, values, { durableExecutionArn, ...answer }, () => [
      `${quoted(durableExecutionArn)} is being deleted since ${localTime(answer.deletionRequestTimestamp)}`,
    ])
    return EXIT.ok
  },
})

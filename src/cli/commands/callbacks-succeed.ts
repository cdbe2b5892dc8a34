/** `perdure callbacks succeed`: completes a callback with a result. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { readText } from '../payload.ts'

export const callbacksSucceed = defineCommand({
  name: 'callbacks succeed',
  summary: 'Complete a callback with a result',
  operands: '<callback id>',
  operandCount: [1, 1],
  options: {
    result: {
      type: 'string',
      short: 'r',
      value: '<text|@file|@->',
      help: 'Result, stored byte for byte (default: none)',
    },
    ...CLIENT_OPTIONS,
  },
  notes: ['"perdure executions history" shows the ids of callbacks.'],
  examples: [`perdure callbacks succeed <callback id> --result 'approved by Grace'`],
  async run({ values, operands, terminal, env, cwd, readStdin }) {
    const client = clientFor(values, env)
    const result = values.result === undefined ? undefined : await readText(values.result, { cwd, readStdin })
    await client.sendDurableExecutionCallbackSuccess({ callbackId: operands[0] ?? '', result })
    client.close()
    printOne(terminal, values, {}, () => 'callback succeeded')
    return EXIT.ok
  },
})

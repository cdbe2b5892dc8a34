/** `perdure callbacks heartbeat`: says that whoever will complete a callback is still alive. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'

export const callbacksHeartbeat = defineCommand({
  name: 'callbacks heartbeat',
  summary: "Postpone a callback's heartbeat timeout",
  operands: '<callback id>',
  operandCount: [1, 1],
  options: CLIENT_OPTIONS,
  examples: ['perdure callbacks heartbeat <callback id>'],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    await client.sendDurableExecutionCallbackHeartbeat({ callbackId: operands[0] ?? '' })
    client.close()
    printOne(terminal, values, {}, () => 'heartbeat accepted')
    return EXIT.ok
  },
})

/** `perdure executions watch`: shows an execution live until it ends. */
import { CLIENT_OPTIONS, clientFor, defineCommand, wholeNumber } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { forPrograms } from '../json.ts'
import { formatOf } from '../output.ts'
import { DEFAULT_POLL_MS, watchExecution } from '../watch.ts'

export const executionsWatch = defineCommand({
  name: 'executions watch',
  summary: 'Follow an execution live, as a tree',
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: {
    interval: { type: 'string', value: '<ms>', help: `Time between two looks (default ${DEFAULT_POLL_MS})` },
    ...CLIENT_OPTIONS,
  },
  notes: [
    EXECUTION_NOTE,
    'Without a terminal, and with --json, every event is one line. Exit code 0 when the execution succeeded, 1 when it',
    'ended otherwise, 130 when you stopped watching.',
  ],
  examples: ['perdure executions watch order-1001', 'perdure executions watch order-1001 --json | jq .EventType'],
  async run({ values, operands, terminal, env, stopSignal }) {
    const client = clientFor(values, env)
    const arn = await resolveExecution(client, operands[0] ?? '')
    const stop = stopSignal()
    const tree = await watchExecution({
      client,
      arn,
      terminal,
      signal: stop,
      pollMs: wholeNumber('interval', values.interval, 10, 60_000) ?? DEFAULT_POLL_MS,
      ...(formatOf(values) !== 'table' && { onEvent: (event) => terminal.out(forPrograms(event, 0)) }),
    })
    client.close()
    if (stop.aborted) return EXIT.interrupted
    return tree?.status === 'SUCCEEDED' ? EXIT.ok : EXIT.failed
  },
})

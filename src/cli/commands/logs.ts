/** `perdure logs`: what a function or an execution printed. */
import type { LoggedLine, LogsQuery, PerdureClient } from '../../client/client.ts'
import { LogFollower } from '../../client/log-follower.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, wholeNumber } from '../command.ts'
import { EXECUTION_NOTE, functionNames, resolveExecution } from '../execution-reference.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { formatOf } from '../output.ts'
import { pause } from '../pause.ts'
import { logLine } from '../render/log-line.ts'

const defaultLimit = 200
const largestLimit = 10_000
const pollMs = 300

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show what a function or an execution printed',
  operands: '<function|execution>',
  operandCount: [1, 1],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with new lines until stopped' },
    limit: {
      type: 'string',
      short: 'l',
      value: '<n>',
      help: `The newest lines to begin with (default ${defaultLimit})`,
    },
    ...CLIENT_OPTIONS,
  },
  notes: [
    EXECUTION_NOTE,
    'A name that is a function shows the lines of all its invocations. With --json every line is one JSON object.',
  ],
  examples: ['perdure logs order --follow', 'perdure logs order/order-1001'],
  async run({ values, operands, terminal, env, stopSignal }) {
    const client = clientFor(values, env)
    const limit = wholeNumber('limit', values.limit, 1, largestLimit) ?? defaultLimit
    const follower = new LogFollower(client, { ...(await subject(client, operands[0] ?? '')), limit })
    const programs = formatOf(values) !== 'table'
    const print = (line: LoggedLine) => terminal.out(programs ? JSON.stringify(line) : logLine(line, terminal.paint))
    for (const line of await follower.poll()) print(line)
    if (values.follow === true) {
      const stop = stopSignal()
      while (!stop.aborted) {
        await pause(pollMs, stop)
        if (!stop.aborted) for (const line of await follower.poll()) print(line)
      }
    }
    client.close()
    return EXIT.ok
  },
})

async function subject(client: PerdureClient, reference: string): Promise<LogsQuery> {
  const isBareName = !reference.startsWith('arn:') && !reference.includes('/')
  if (isBareName && (await functionNames(client)).includes(reference)) {
    return { functionName: reference }
  }
  const executionArn = await resolveExecution(client, reference).catch((error: unknown) => {
    if (!isBareName || !(error instanceof CliFailure)) throw error
    throw new CliFailure({
      cause: `there is neither a function nor an execution "${reference}"`,
      fix: '"perdure executions list" shows what there is',
    })
  })
  return { executionArn }
}

/** `perdure logs`: what a function or an execution printed. */
import type { LoggedLine, LogsQuery, PerdureClient } from '../../client/client.ts'
import { LogFollower } from '../../client/log-follower.ts'
import { InvalidPattern, parseFilterPattern } from '../../protocol/logs/filter-pattern.ts'
import { LOG_LEVELS, type LogLevel, levelNamed } from '../../protocol/logs/log-line.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, wholeNumber } from '../command.ts'
import { EXECUTION_NOTE, functionNames, resolveExecution } from '../execution-reference.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import { moment } from '../moment.ts'
import { formatOf } from '../output.ts'
import { pause } from '../pause.ts'
import { logLine } from '../render/log-line.ts'

const defaultLimit = 200
const largestLimit = 10_000
const pollMs = 300

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show what a function or an execution printed',
  operands: '[<function|execution>]',
  operandCount: [0, 1],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with new lines until stopped' },
    limit: {
      type: 'string',
      short: 'l',
      value: '<n>',
      help: `The newest lines to begin with (default ${defaultLimit}, with --since ${largestLimit})`,
    },
    since: { type: 'string', value: '<time>', help: 'Lines from then on: 2h, 15m, or an ISO 8601 timestamp' },
    level: {
      type: 'string',
      value: '<level>',
      choices: LOG_LEVELS.map((level) => level.toLowerCase()),
      help: 'Lines of this level or a higher one; lines that tell none are taken for info',
    },
    grep: { type: 'string', value: '<text>', help: 'Lines that contain the text' },
    filter: { type: 'string', value: '<pattern>', help: 'Lines that match a filter pattern of CloudWatch Logs' },
    'request-id': { type: 'string', value: '<id>', help: 'Lines of one invocation' },
    children: { type: 'boolean', help: 'With an execution: the lines of those that it started too' },
    ...CLIENT_OPTIONS,
  },
  notes: [
    EXECUTION_NOTE,
    'A name that is a function shows the lines of all its invocations. With --json every line is one JSON object: the',
    'whole record, with the members of a line that is JSON itself in "fields".',
  ],
  examples: [
    'perdure logs order --follow',
    'perdure logs order --level warn --since 2h',
    'perdure logs order/order-1001 --children',
    'perdure logs order --filter \'{ $.operationName = "reserve" && $.attempt > 1 }\'',
  ],
  async run({ values, operands, terminal, env, stopSignal }) {
    const client = clientFor(values, env)
    const afterMs = moment('since', values.since, Date.now())
    const limit = wholeNumber('limit', values.limit, 1, largestLimit)
    const conditions = {
      level: levelOf(values.level),
      grep: values.grep,
      filter: patternOf(values.filter),
      requestId: values['request-id'],
      // The moment itself belongs to what is asked for.
      afterMs: afterMs === undefined ? undefined : Math.max(0, afterMs - 1),
      limit: limit ?? (afterMs === undefined ? defaultLimit : largestLimit),
    }
    const about = await subject(client, operands[0], conditions, values.children === true)
    const follower = new LogFollower(client, { ...conditions, ...about })
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

function levelOf(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined
  const level = levelNamed(text)
  if (level !== undefined) return level
  throw usageFailure(`there is no level "${text}"`, `one of ${LOG_LEVELS.join(', ').toLowerCase()}`)
}

function patternOf(text: string | undefined): string | undefined {
  try {
    if (text !== undefined) parseFilterPattern(text)
    return text
  } catch (error) {
    if (!(error instanceof InvalidPattern)) throw error
    const cause = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`
    throw usageFailure(cause, 'docs/guides/logs.md has the grammar; --grep takes any text')
  }
}

async function subject(
  client: PerdureClient,
  reference: string | undefined,
  { requestId }: LogsQuery,
  children: boolean,
): Promise<LogsQuery> {
  if (reference === undefined) {
    if (requestId !== undefined && !children) return {}
    throw usageFailure('logs: <function|execution> is missing', 'only --request-id does without')
  }
  const isBareName = !reference.startsWith('arn:') && !reference.includes('/')
  if (isBareName && (await functionNames(client)).includes(reference)) {
    if (children) throw usageFailure(`"${reference}" is a function`, '--children goes with an execution')
    return { functionName: reference }
  }
  try {
    return { executionArn: await resolveExecution(client, reference), children }
  } catch (error) {
    if (!isBareName || !(error instanceof CliFailure)) throw error
    // A function that is no more may have left lines.
    const [left] = await client.logs({ functionName: reference, limit: 1 })
    if (left !== undefined) return { functionName: reference }
    throw new CliFailure({
      cause: `there is neither a function nor an execution "${reference}"`,
      fix: '"perdure executions list" shows what there is',
    })
  }
}

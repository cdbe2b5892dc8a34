/** `perdure executions list`: the newest executions of one function or of all. */
import type { ListedExecution, PerdureClient } from '../../client/client.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, wholeNumber } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { forPrograms } from '../json.ts'
import { duration, localTime } from '../render/amounts.ts'
import { tableLines } from '../render/table.ts'
import type { Paint, Style } from '../terminal.ts'

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED']
const defaultLimit = 20
const largestLimit = 1000

const styles: Readonly<Record<string, Style>> = {
  RUNNING: 'cyan',
  SUCCEEDED: 'green',
  FAILED: 'red',
  TIMED_OUT: 'red',
  STOPPED: 'yellow',
}

export const executionsList = defineCommand({
  name: 'executions list',
  summary: 'List executions, newest first',
  operands: '[<function>]',
  operandCount: [0, 1],
  options: {
    status: {
      type: 'string',
      short: 's',
      multiple: true,
      value: '<status>',
      help: `Only these: ${statuses.join(', ')}`,
    },
    limit: { type: 'string', short: 'l', value: '<n>', help: `At most so many (default ${defaultLimit})` },
    ...CLIENT_OPTIONS,
  },
  examples: ['perdure executions list', 'perdure executions list order --status RUNNING --status FAILED'],
  async run({ values, operands, terminal, env }) {
    const limit = wholeNumber('limit', values.limit, 1, largestLimit) ?? defaultLimit
    const wanted = (values.status ?? []).map((status) => status.toUpperCase().replace('-', '_'))
    for (const status of wanted) {
      if (!statuses.includes(status))
        throw usageFailure(`there is no status "${status}"`, `one of ${statuses.join(', ')}`)
    }
    const client = clientFor(values, env)
    const functions = operands[0] === undefined ? await durableFunctions(client) : [operands[0]]
    const lists = await Promise.all(functions.map((functionName) => newest(client, functionName, wanted, limit)))
    const executions = lists
      .flat()
      .sort((a, b) => b.StartTimestamp - a.StartTimestamp)
      .slice(0, limit)
    client.close()
    if (values.json === true) {
      terminal.out(forPrograms(executions))
    } else if (executions.length === 0) {
      terminal.err(`no executions${functions.length === 0 ? ': the server has no durable functions' : ''}`)
    } else {
      for (const line of listLines(executions, Date.now(), terminal.paint)) terminal.out(line)
    }
    return EXIT.ok
  },
})

async function durableFunctions(client: PerdureClient): Promise<readonly string[]> {
  const functions = await client.listFunctions()
  return [...new Set(functions.filter((each) => each.DurableConfig !== undefined).map((each) => each.FunctionName))]
}

async function newest(
  client: PerdureClient,
  functionName: string,
  wanted: readonly string[],
  limit: number,
): Promise<readonly ListedExecution[]> {
  const page = await client.listExecutions({
    functionName,
    ...(wanted.length > 0 && { statuses: wanted }),
    maxItems: limit,
  })
  return page.DurableExecutions
}

export function listLines(executions: readonly ListedExecution[], nowMs: number, paint: Paint): readonly string[] {
  const rows = executions.map((execution) => [
    functionOf(execution.FunctionArn),
    execution.DurableExecutionName,
    execution.Status,
    localTime(execution.StartTimestamp),
    duration((execution.EndTimestamp ?? nowMs) - execution.StartTimestamp),
  ])
  const [head, ...lines] = tableLines(
    { head: ['FUNCTION', 'NAME', 'STATUS', 'STARTED', 'TOOK'], rows, right: [4] },
    paint,
  )
  return [
    head ?? '',
    ...lines.map((line, index) => {
      const status = executions[index]?.Status ?? ''
      // The last match: a function or an execution may be called RUNNING too.
      const at = line.lastIndexOf(status)
      return line.slice(0, at) + paint(styles[status] ?? 'dim', status) + line.slice(at + status.length)
    }),
  ]
}

/** arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST → order:$LATEST */
const functionOf = (arn: string) => arn.split(':function:')[1] ?? arn

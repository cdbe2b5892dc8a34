/** `perdure executions list`: the executions of one function or of all that match, newest first. */
import type { PerdureClient } from '../../client/client.ts'
import type { ListedExecution } from '../../client/responses.ts'
import { collect } from '../collect.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, wholeNumber } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { moment } from '../moment.ts'
import { printAll } from '../output.ts'
import { duration, localTime } from '../render/amounts.ts'
import { tableLines } from '../render/table.ts'
import type { Paint, Style } from '../terminal.ts'

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING'] as const
type Status = (typeof statuses)[number]
const defaultLimit = 20
const largestLimit = 1_000_000
const largestPage = 1000

const styles: Readonly<Record<Status, Style>> = {
  RUNNING: 'cyan',
  SUCCEEDED: 'green',
  FAILED: 'red',
  TIMED_OUT: 'red',
  STOPPED: 'yellow',
  DELETING: 'dim',
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
      choices: statuses,
      help: `Only these; may be repeated: ${statuses.join(', ')}`,
    },
    name: { type: 'string', short: 'n', value: '<name>', help: 'Only executions of exactly this name' },
    qualifier: { type: 'string', short: 'q', value: '<version>', help: 'Only executions of this version' },
    'started-after': {
      type: 'string',
      value: '<when>',
      help: 'Only those started later: an ISO 8601 timestamp, or a time ago such as 2h (s, m, h, d)',
    },
    'started-before': { type: 'string', value: '<when>', help: 'Only those started earlier' },
    'oldest-first': { type: 'boolean', help: 'Begin with the oldest' },
    limit: { type: 'string', short: 'l', value: '<n>', help: `At most so many (default ${defaultLimit})` },
    all: { type: 'boolean', short: 'a', help: 'Every one that matches, however many' },
    ...CLIENT_OPTIONS,
  },
  examples: [
    'perdure executions list',
    'perdure executions list order --status RUNNING --status FAILED',
    'perdure executions list --started-after 2h --oldest-first',
    `perdure executions list order --all --output ndjson | jq -r .DurableExecutionArn`,
  ],
  async run({ values, operands, terminal, env }) {
    if (values.all === true && values.limit !== undefined) {
      throw usageFailure('--all and --limit exclude each other', 'leave one of them out')
    }
    const limit =
      values.all === true
        ? Number.POSITIVE_INFINITY
        : (wholeNumber('limit', values.limit, 1, largestLimit) ?? defaultLimit)
    const nowMs = Date.now()
    const oldestFirst = values['oldest-first'] === true
    const filter = {
      statuses: wantedStatuses(values.status),
      durableExecutionName: values.name,
      qualifier: values.qualifier,
      startedAfter: moment('started-after', values['started-after'], nowMs),
      startedBefore: moment('started-before', values['started-before'], nowMs),
      reverseOrder: oldestFirst,
      maxItems: Math.min(limit, largestPage),
    }
    const client = clientFor(values, env)
    const functions = operands[0] === undefined ? await durableFunctions(client) : [operands[0]]
    const lists = functions.map((functionName) => client.executions({ functionName, ...filter }))
    await printAll(terminal, values, merged(lists, oldestFirst, limit), (executions) => {
      if (executions.length > 0) return listLines(executions, nowMs, terminal.paint)
      terminal.err(`no executions${functions.length === 0 ? ': the server has no durable functions' : ''}`)
      return []
    })
    client.close()
    return EXIT.ok
  },
})

function wantedStatuses(given: readonly string[] | undefined): readonly Status[] | undefined {
  return given?.map((text) => {
    const status = statuses.find((each) => each === text.toUpperCase().replaceAll('-', '_'))
    if (status === undefined) throw usageFailure(`there is no status "${text}"`, `one of ${statuses.join(', ')}`)
    return status
  })
}

async function durableFunctions(client: PerdureClient): Promise<readonly string[]> {
  const functions = await collect(client.functions())
  return functions.filter((each) => each.durableConfig !== undefined).map((each) => each.functionName)
}

/** Lists that are each in order as one in order, up to a number; no list is read further than it must be. */
export async function* merged(
  lists: readonly AsyncGenerator<ListedExecution>[],
  oldestFirst: boolean,
  limit: number,
): AsyncGenerator<ListedExecution, void, undefined> {
  const sign = oldestFirst ? 1 : -1
  const heads = await Promise.all(lists.map(async (list) => ({ list, next: await list.next() })))
  for (let count = 0; count < limit; count += 1) {
    let first: (typeof heads)[number] | undefined
    let firstAt = 0
    for (const head of heads) {
      if (head.next.done === true) continue
      const at = sign * head.next.value.startTimestamp
      if (first === undefined || at < firstAt) [first, firstAt] = [head, at]
    }
    if (first === undefined || first.next.done === true) return
    yield first.next.value
    if (count + 1 < limit) first.next = await first.list.next()
  }
}

export function listLines(executions: readonly ListedExecution[], nowMs: number, paint: Paint): readonly string[] {
  const rows = executions.map((execution) => [
    functionOf(execution.functionArn),
    execution.durableExecutionName,
    execution.status,
    localTime(execution.startTimestamp),
    duration((execution.endTimestamp ?? nowMs) - execution.startTimestamp),
  ])
  const [head, ...lines] = tableLines(
    { head: ['FUNCTION', 'NAME', 'STATUS', 'STARTED', 'TOOK'], rows, right: [4] },
    paint,
  )
  return [
    head ?? '',
    ...lines.map((line, index) => {
      const status = executions[index]?.status ?? 'RUNNING'
      // The last match: a function or an execution may be called RUNNING too.
      const at = line.lastIndexOf(status)
      return line.slice(0, at) + paint(styles[status] ?? 'dim', status) + line.slice(at + status.length)
    }),
  ]
}

/** arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST → order:$LATEST */
const functionOf = (arn: string) => arn.split(':function:')[1] ?? arn

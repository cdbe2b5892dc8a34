/** `perdure executions history`: every event of one execution, in order. */
import type { HistoryEvent } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { printAll } from '../output.ts'
import { duration, shortened } from '../render/amounts.ts'
import { eventName, eventNote } from '../render/event-line.ts'
import { tableLines } from '../render/table.ts'
import type { Paint } from '../terminal.ts'

export const executionsHistory = defineCommand({
  name: 'executions history',
  summary: "Show an execution's history, event by event",
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: {
    full: { type: 'boolean', help: 'Do not shorten long lines' },
    'newest-first': { type: 'boolean', help: 'Begin with the newest event' },
    ...CLIENT_OPTIONS,
  },
  notes: [EXECUTION_NOTE],
  examples: [
    'perdure executions history order-1001',
    'perdure executions history order/order-1001 --output ndjson | jq -r .EventType',
  ],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const events = client.events({
      durableExecutionArn: await resolveExecution(client, operands[0] ?? ''),
      includeExecutionData: true,
      reverseOrder: values['newest-first'] === true,
    })
    const width = values.full === true ? Number.POSITIVE_INFINITY : terminal.width()
    await printAll(terminal, values, events, (all) => historyLines(all, width, terminal.paint))
    client.close()
    return EXIT.ok
  },
})

/** The events in either order. */
export function historyLines(events: readonly HistoryEvent[], width: number, paint: Paint): readonly string[] {
  const startedAt = Math.min(...events.map((event) => event.eventTimestamp))
  const rows = events.map((event) => [
    String(event.eventId),
    `+${duration(event.eventTimestamp - startedAt)}`,
    event.eventType,
    eventName(event),
    eventNote(event),
  ])
  const [head, ...lines] = tableLines({ head: ['ID', 'AFTER', 'EVENT', 'NAME', 'DETAILS'], rows, right: [0, 1] }, paint)
  return [head ?? '', ...lines.map((line) => shortened(line, width))]
}

/** `perdure executions history`: every event of one execution, in order. */

import type { HistoryEvent } from '../../protocol/shapes.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXECUTION_NOTE, EXECUTION_OPERAND, resolveExecution } from '../execution-reference.ts'
import { EXIT } from '../failure.ts'
import { forPrograms } from '../json.ts'
import { duration, shortened } from '../render/amounts.ts'
import { eventName, eventNote } from '../render/event-line.ts'
import { tableLines } from '../render/table.ts'
import type { Paint } from '../terminal.ts'

export const executionsHistory = defineCommand({
  name: 'executions history',
  summary: "Show an execution's history, event by event",
  operands: EXECUTION_OPERAND,
  operandCount: [1, 1],
  options: { full: { type: 'boolean', help: 'Do not shorten long lines' }, ...CLIENT_OPTIONS },
  notes: [EXECUTION_NOTE],
  examples: ['perdure executions history order-1001', 'perdure executions history order-1001 --json'],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const events = await client.history({ arn: await resolveExecution(client, operands[0] ?? '') })
    client.close()
    if (values.json === true) {
      terminal.out(forPrograms(events))
      return EXIT.ok
    }
    const width = values.full === true ? Number.POSITIVE_INFINITY : terminal.width()
    for (const line of historyLines(events, width, terminal.paint)) terminal.out(line)
    return EXIT.ok
  },
})

export function historyLines(events: readonly HistoryEvent[], width: number, paint: Paint): readonly string[] {
  const startedAt = events[0]?.EventTimestamp ?? 0
  const rows = events.map((event) => [
    String(event.EventId),
    `+${duration(event.EventTimestamp - startedAt)}`,
    event.EventType,
    eventName(event),
    eventNote(event),
  ])
  const [head, ...lines] = tableLines({ head: ['ID', 'AFTER', 'EVENT', 'NAME', 'DETAILS'], rows, right: [0, 1] }, paint)
  return [head ?? '', ...lines.map((line) => shortened(line, width))]
}

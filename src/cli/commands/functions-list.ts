/** `perdure functions list`: what can be invoked. */
import type { FunctionConfiguration } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printAll } from '../output.ts'
import { seconds } from '../render/amounts.ts'
import { tableLines } from '../render/table.ts'
import type { Paint } from '../terminal.ts'

export const functionsList = defineCommand({
  name: 'functions list',
  summary: 'List the functions that the server has',
  options: {
    versions: { type: 'boolean', help: 'Every version of each, not only $LATEST' },
    ...CLIENT_OPTIONS,
  },
  examples: ['perdure functions list', 'perdure functions list --output ndjson | jq -r .FunctionName'],
  async run({ values, terminal, env }) {
    const client = clientFor(values, env)
    const functions = client.functions({ functionVersion: values.versions === true ? 'ALL' : undefined })
    await printAll(terminal, values, functions, (all) => {
      if (all.length > 0) return functionLines(all, terminal.paint)
      terminal.err('the server has no functions')
      return []
    })
    client.close()
    return EXIT.ok
  },
})

export function functionLines(functions: readonly FunctionConfiguration[], paint: Paint): readonly string[] {
  const rows = functions.map(({ functionName, version, durableConfig, timeout, memorySize }) => [
    functionName,
    version,
    durableConfig === undefined ? 'plain' : 'durable',
    timeout === undefined ? '' : seconds(timeout),
    memorySize === undefined ? '' : `${memorySize} MB`,
    durableConfig === undefined ? '' : seconds(durableConfig.executionTimeout),
    durableConfig?.retentionPeriodInDays === undefined ? '' : `${durableConfig.retentionPeriodInDays} d`,
  ])
  const head = ['FUNCTION', 'VERSION', 'KIND', 'TIMEOUT', 'MEMORY', 'EXECUTION TIMEOUT', 'RETENTION']
  return tableLines({ head, rows, right: [3, 4, 5, 6] }, paint)
}

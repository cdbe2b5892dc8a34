/** `perdure functions get`: how one function is configured. */
import type { FunctionConfiguration } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { seconds } from '../render/amounts.ts'
import { describedLines } from '../render/description.ts'

export const functionsGet = defineCommand({
  name: 'functions get',
  summary: 'Show one function: version, durability, timeouts, memory',
  operands: '<function>',
  operandCount: [1, 1],
  options: {
    qualifier: { type: 'string', short: 'q', value: '<version>', help: 'Which version (default $LATEST)' },
    ...CLIENT_OPTIONS,
  },
  examples: ['perdure functions get order', 'perdure functions get order --json | jq .DurableConfig'],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    const configuration = await client.getFunctionConfiguration({
      functionName: operands[0] ?? '',
      qualifier: values.qualifier,
    })
    client.close()
    printOne(terminal, values, configuration, () => describedLines(membersOf(configuration), terminal.paint))
    return EXIT.ok
  },
})

function membersOf(configuration: FunctionConfiguration): readonly (readonly [string, string | undefined])[] {
  const { durableConfig, timeout, memorySize, tenancyConfig } = configuration
  const retention = durableConfig?.retentionPeriodInDays
  return [
    ['ARN', configuration.functionArn],
    ['Name', configuration.functionName],
    ['Version', configuration.version],
    ['State', configuration.state],
    ['Kind', durableConfig === undefined ? 'plain' : 'durable'],
    ['Timeout', timeout === undefined ? undefined : `${seconds(timeout)} per invocation`],
    ['Memory', memorySize === undefined ? undefined : `${memorySize} MB`],
    ['Execution', durableConfig && `at most ${seconds(durableConfig.executionTimeout)}`],
    ['Retention', retention === undefined ? undefined : `${retention} days after its end`],
    ['Tenancy', tenancyConfig?.tenantIsolationMode],
  ]
}

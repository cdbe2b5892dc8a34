/** `perdure functions get`: how one function is configured, and which workers run it. */
import type { AttachedWorker } from '../../client/client.ts'
import type { FunctionConfiguration } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'
import { seconds } from '../render/amounts.ts'
import { describedLines } from '../render/description.ts'

export const functionsGet = defineCommand({
  name: 'functions get',
  summary: 'Show one function: version, durability, timeouts, memory, workers',
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
    const attached = await client.workers({ functionName: configuration.functionName })
    client.close()
    const workers = attached.filter(({ version }) => version === configuration.version)
    const shown = workers.length === 0 ? configuration : { ...configuration, workers }
    printOne(terminal, values, shown, () => describedLines(membersOf(configuration, workers), terminal.paint))
    return EXIT.ok
  },
})

function membersOf(
  configuration: FunctionConfiguration,
  workers: readonly AttachedWorker[],
): readonly (readonly [string, string | undefined])[] {
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
    ...workers.map((worker) => ['Worker', workerText(worker)] as const),
  ]
}

/** `build-7 from 10.0.0.7, 2 processes, 1 running` */
function workerText({ name, address, processes, running, leaving }: AttachedWorker): string {
  const parts = [
    `${name} from ${address}`,
    processes === 1 ? '1 process' : `${processes} processes`,
    `${running} running`,
  ]
  return [...parts, ...(leaving ? ['leaving'] : [])].join(', ')
}

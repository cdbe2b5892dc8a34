/**
 * `perdure config check`: everything that `perdure start` would find wrong with a config file, without the server that
 * stays. It loads the handlers as a server does, in a server that keeps nothing and ends at once.
 */
import { PerdureClient } from '../../client/client.ts'
import { collect } from '../collect.ts'
import { defineCommand } from '../command.ts'
import { findConfig } from '../config-file.ts'
import { EXIT } from '../failure.ts'
import { OUTPUT_OPTIONS, printAll } from '../output.ts'
import { counted } from '../render/amounts.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'
import { functionLines } from './functions-list.ts'

export const configCheck = defineCommand({
  name: 'config check',
  summary: 'Check a config file and load its handlers, without serving them',
  operands: '[<file>]',
  operandCount: [0, 1],
  options: OUTPUT_OPTIONS,
  notes: [
    'Without a file: perdure.config.ts, .js, .yaml or .json in the working directory. Exit code 1 when it is wrong.',
  ],
  examples: ['perdure config check', 'perdure config check deploy/perdure.config.yaml --json'],
  async run({ values, operands, terminal, cwd }) {
    const config = findConfig(operands[0], cwd, 'nothing was checked')
    try {
      const { loadConfig, startPerdure } = await serverModules()
      const { functions, isolation, destinations, events } = await loadConfig(config)
      const perdure = await startPerdure({
        destinations,
        events,
        // Nothing will be invoked: no process need be warm.
        functions: functions.map((declared) => ({ ...declared, warm: 0 })),
        isolation,
        data: { kind: 'memory' },
        port: 0,
        log: { level: 'error' },
      })
      const client = new PerdureClient(perdure.endpoint)
      const loaded = await collect(client.functions())
      client.close()
      await perdure.close(0)
      await printAll(terminal, values, loaded, (all) => functionLines(all, terminal.paint))
      terminal.err(`${config} is right: ${counted(loaded.length, 'function')}`)
      return EXIT.ok
    } catch (error) {
      throw serverFailure(error, {}, 'the config file cannot be used')
    }
  },
})

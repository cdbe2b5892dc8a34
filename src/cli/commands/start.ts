/** `perdure start`: a server with the functions of a config file, and those deployed to it, until it is told to stop. */
import { defineCommand } from '../command.ts'
import { configIn, findConfig } from '../config-file.ts'
import { EXIT } from '../failure.ts'
import { aborted } from '../pause.ts'
import { counted } from '../render/amounts.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'
import { SERVER_OPTIONS, serverOptions } from '../server-options.ts'

export const start = defineCommand({
  name: 'start',
  summary: 'Start a server with the functions of a config file',
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: '<file>',
      help: 'Config file (default perdure.config.ts, .js or .yaml here)',
    },
    ...SERVER_OPTIONS,
  },
  notes: [
    'Without a config file it serves what is deployed to it: with an AWS SDK, the AWS CLI or any other client of the API.',
    'SIGINT and SIGTERM drain: what runs may end, what is not finished goes on at the next start.',
  ],
  examples: ['perdure start', 'perdure start --config examples/perdure.config.ts --port 0 --json'],
  async run({ values, terminal, cwd, stopSignal }) {
    const options = serverOptions(values)
    const config = values.config === undefined ? configIn(cwd) : findConfig(values.config, cwd)
    try {
      const { loadConfig, startPerdure } = await serverModules()
      const loaded = config === undefined ? NOTHING_DECLARED : await loadConfig(config)
      const { functions } = loaded
      const perdure = await startPerdure({ ...loaded, ...options })
      const stop = stopSignal()
      if (values.json === true) {
        terminal.out(JSON.stringify({ endpoint: perdure.endpoint, pid: process.pid }))
      } else if (functions.length === 0) {
        terminal.out(`perdure serves what is deployed to it at ${terminal.paint('bold', perdure.endpoint)}`)
        if (config === undefined) terminal.out(`  there is no perdure.config.ts, .js or .yaml in ${cwd}`)
      } else {
        terminal.out(
          `perdure serves ${counted(functions.length, 'function')} at ${terminal.paint('bold', perdure.endpoint)}`,
        )
        terminal.out(`  ${functions.map(({ name }) => name).join(', ')}`)
        if (perdure.isolation !== 'none') terminal.out(`  each process isolated by ${perdure.isolation}`)
      }
      await Promise.race([aborted(stop), parentGone()])
      terminal.err('perdure: stopping; what runs may end first')
      await perdure.close()
      return EXIT.ok
    } catch (error) {
      throw serverFailure(error, options)
    }
  },
})

const NOTHING_DECLARED = { functions: [], runtimes: {} } as const

/** A server that a program started over an IPC channel ends with that program. The channel alone keeps nothing alive. */
function parentGone(): Promise<void> {
  return new Promise((resolve) => {
    process.once('disconnect', resolve)
    process.channel?.unref()
  })
}

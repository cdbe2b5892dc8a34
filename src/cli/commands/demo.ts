/**
 * `perdure demo`: one realistic order, from a fresh server to its result, shown live. With `--chaos` the server and a
 * function process are killed in the middle, and the functions' own ledger proves that no finished step ran twice.
 */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { defineCommand, wholeNumber } from '../command.ts'
import { calmDemo } from '../demo/calm-demo.ts'
import { chaosDemo } from '../demo/chaos-demo.ts'
import { orderName } from '../demo/order.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { serverFailure } from '../server-failure.ts'
import { DEFAULT_PORT } from '../server-options.ts'

export const demo = defineCommand({
  name: 'demo',
  summary: 'Run the example order on a server of its own, and show it live',
  options: {
    'keep-running': { type: 'boolean', help: 'Stay up afterwards, for you to try things' },
    chaos: {
      type: 'boolean',
      help: 'Kill the server and a function process in the middle; prove that no finished step ran twice',
    },
    port: {
      type: 'string',
      value: '<port>',
      help: `Port of the server (default ${DEFAULT_PORT}, or any free one when that is used)`,
    },
    data: {
      type: 'string',
      value: '<folder>',
      help: 'Where the demo keeps its data (default ./.perdure/demo, with --chaos ./.perdure/chaos)',
    },
  },
  notes: ['Exit code 0 when the order succeeded and the ledger holds, 1 otherwise.'],
  examples: ['perdure demo --keep-running', 'perdure demo --chaos'],
  async run({ values, terminal, cwd, stopSignal }) {
    const chaos = values.chaos === true
    if (chaos && values['keep-running'] === true) {
      throw usageFailure('--chaos and --keep-running exclude each other', 'leave one of them out')
    }
    const data = resolve(cwd, values.data ?? (chaos ? '.perdure/chaos' : '.perdure/demo'))
    const stop = stopSignal()
    const name = orderName(Date.now())
    const port = wholeNumber('port', values.port, 0, 65_535)
    try {
      await mkdir(data, { recursive: true })
      const setting = { data, ledger: join(data, `ledger-${name}.tsv`), name, port, terminal, stop }
      const proven = chaos
        ? await chaosDemo(setting)
        : await calmDemo({ ...setting, keepRunning: values['keep-running'] === true })
      return proven ? EXIT.ok : stop.aborted ? EXIT.interrupted : EXIT.failed
    } catch (error) {
      throw serverFailure(error, { data, ...(port !== undefined && { port }) })
    }
  },
})

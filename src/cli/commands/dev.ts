/**
 * `perdure dev`: a server with the handlers at some paths. It starts again whenever a source changes (what runs goes
 * on with the new code: executions are durable), and shows what the functions print.
 */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { RunningPerdure } from '../../index.ts'
import { defineCommand, type Surroundings } from '../command.ts'
import { EXIT, explain, formatFailure } from '../failure.ts'
import { aborted } from '../pause.ts'
import { printLogs } from '../print-logs.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'
import { SERVER_OPTIONS, serverOptions } from '../server-options.ts'
import { SourceWatcher } from '../source-watcher.ts'

/** How long running invocations may take to end before a restart ends them; their executions go on afterwards. */
const restartGraceMs = 1_000

export const dev = defineCommand({
  name: 'dev',
  summary: 'Serve handlers directly, restart on changes, show what they print',
  operands: '<paths>',
  operandCount: [1, Number.POSITIVE_INFINITY],
  options: SERVER_OPTIONS,
  notes: [
    'A path is a handler file (.ts, .mts, .mjs, .js, .cjs) or a folder of them. A function is named after its file, and',
    'its handler is the export "handler"; it is durable when that was wrapped by the SDK.',
  ],
  examples: ['perdure dev examples/hello.ts', 'perdure dev examples --memory --port 8000'],
  async run({ values, operands, terminal, cwd, stopSignal }) {
    const options = serverOptions(values)
    const { declarationsFromPaths, startPerdure } = await serverModules()
    const begin = async (port: number | undefined): Promise<RunningPerdure> => {
      try {
        const functions = await declarationsFromPaths(operands, cwd)
        const perdure = await startPerdure({ ...options, ...(port !== undefined && { port }), functions })
        if (values.json === true) {
          terminal.out(JSON.stringify({ endpoint: perdure.endpoint, pid: process.pid }))
        } else {
          const names = functions.map(({ name }) => name).join(', ')
          terminal.out(`perdure serves ${names} at ${terminal.paint('bold', perdure.endpoint)}`)
        }
        return perdure
      } catch (error) {
        throw serverFailure(error, options)
      }
    }
    let perdure: RunningPerdure | undefined = await begin(options.port)
    const stop = stopSignal()
    const port = Number(new URL(perdure.endpoint).port)
    const sources = new SourceWatcher(operands.map((path) => folderOf(resolve(cwd, path))))
    while (!stop.aborted) {
      const logs = perdure === undefined || values.json === true ? undefined : printLogs(perdure.endpoint, terminal)
      const changed = await Promise.race([aborted(stop), sources.next()])
      await logs?.end()
      await perdure?.close(stop.aborted ? undefined : restartGraceMs)
      if (changed === undefined) break
      terminal.err(`perdure: ${changed} has changed, starting again`)
      perdure = await begin(port).catch((error: unknown) => complain(error, terminal))
    }
    sources.close()
    return EXIT.ok
  },
})

const folderOf = (path: string) => (statSync(path).isDirectory() ? path : dirname(path))

/** A mistake in a source is said, and the next change is waited for. */
function complain(error: unknown, terminal: Surroundings['terminal']): undefined {
  const failure = explain(error)
  if (failure === undefined) throw error
  for (const line of formatFailure(failure.text)) terminal.err(line)
}

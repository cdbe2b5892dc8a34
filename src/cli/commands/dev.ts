/**
 * `perdure dev`: a server with the handlers at some paths. When a handler or a module that it imports changes, new
 * invocations run the new code; those that run end with the old one, and their executions go on with the new one. It
 * shows what the functions print.
 */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { RunningPerdure } from '../../index.ts'
import { defineCommand, type Surroundings } from '../command.ts'
import { EXIT, explain, formatFailure } from '../failure.ts'
import { aborted } from '../pause.ts'
import { printLogs } from '../print-logs.ts'
import { counted } from '../render/amounts.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'
import { SERVER_OPTIONS, serverOptions } from '../server-options.ts'
import { SourceWatcher } from '../source-watcher.ts'

export const dev = defineCommand({
  name: 'dev',
  summary: 'Serve handlers directly, with every change, and show what they print',
  operands: '<paths>',
  operandCount: [1, Number.POSITIVE_INFINITY],
  options: SERVER_OPTIONS,
  notes: [
    'A path is a handler file (.ts, .mts, .mjs, .js, .cjs) or a folder of them. A function is named after its file, and',
    'its handler is the export "handler"; it is durable when that was wrapped by the SDK.',
    'When a handler or a module that it imports changes, new invocations run the new code. Running executions go on with',
    'it too: when it does not match what they have behind them, the log names the operation.',
  ],
  examples: ['perdure dev examples/hello.ts', 'perdure dev examples --memory --port 8000', 'perdure dev . --inspect'],
  async run({ values, operands, terminal, cwd, stopSignal }) {
    const options = serverOptions(values)
    const { declarationsFromPaths, startPerdure } = await serverModules()
    let perdure: RunningPerdure
    try {
      const functions = await declarationsFromPaths(operands, cwd)
      perdure = await startPerdure({ ...options, reloadable: true, functions })
      const names = functions.map(({ name }) => name).join(', ')
      if (values.json === true) terminal.out(JSON.stringify({ endpoint: perdure.endpoint, pid: process.pid }))
      else terminal.out(`perdure serves ${names} at ${terminal.paint('bold', perdure.endpoint)}`)
    } catch (error) {
      throw serverFailure(error, options)
    }
    const stop = stopSignal()
    const logs = values.json === true ? undefined : printLogs(perdure.endpoint, terminal)
    const sources = new SourceWatcher(operands.map((path) => folderOf(resolve(cwd, path))))
    for (;;) {
      sources.follow(perdure.sourceFolders())
      const file = await Promise.race([aborted(stop), sources.next()])
      if (file === undefined) break
      try {
        const { changed, refused } = await perdure.reload(await declarationsFromPaths(operands, cwd))
        for (const { functionName, error, kept } of refused) {
          complain(
            error,
            kept ? `"${functionName}" goes on with the code before the change` : 'it is not served',
            terminal,
          )
        }
        if (changed.length > 0) terminal.err(`perdure: ${file} has changed, ${newCode(changed)}`)
      } catch (error) {
        complain(error, 'everything goes on as before the change', terminal)
      }
    }
    sources.close()
    await logs?.end()
    await perdure.close()
    return EXIT.ok
  },
})

const folderOf = (path: string) => (statSync(path).isDirectory() ? path : dirname(path))

const newCode = (names: readonly string[]) =>
  `new invocations of ${names.length > 3 ? counted(names.length, 'function') : names.join(', ')} run the new code`

/** A mistake in a source is said, and the next change is waited for. */
function complain(error: unknown, consequence: string, terminal: Surroundings['terminal']): void {
  const failure = explain(serverFailure(error, {}))
  if (failure === undefined) throw error
  for (const line of formatFailure({ ...failure.text, consequence })) terminal.err(line)
}

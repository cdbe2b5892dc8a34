/**
 * A server in a process of its own, for the conformance runner: takes its settings as one JSON argument, prints its
 * endpoint as one JSON line, and runs until it is told to end or its parent is gone.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startPerdure } from '../../src/index.ts'
import { declarationsFor } from './functions.ts'
import type { ServerSettings } from './start-server.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as ServerSettings
const perdure = await startPerdure({
  port: 0,
  data: settings.store === 'memory' ? { kind: 'memory' } : join(settings.folder, 'data'),
  functions: declarationsFor(settings.requirementIds),
})

let closing = false
const close = async () => {
  if (closing) return
  closing = true
  await perdure.close(0)
  await rm(settings.folder, { recursive: true, force: true })
  process.exit(0)
}
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, close)
process.stdin.on('end', close)
process.stdin.resume()
process.stdout.write(`${JSON.stringify({ endpoint: perdure.endpoint })}\n`)

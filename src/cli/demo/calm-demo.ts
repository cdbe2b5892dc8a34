/** The demo without accidents, on a server in this process; it may stay up for you to try things. */
import { PerdureClient } from '../../client/client.ts'
import type { RunningPerdure } from '../../index.ts'
import { aborted } from '../pause.ts'
import { serverModules } from '../server-modules.ts'
import { DEFAULT_PORT } from '../server-options.ts'
import { Narrator } from './narrator.ts'
import { nextSteps } from './next-steps.ts'
import { examplesConfig } from './order.ts'
import { runOrder, type Setting } from './run-order.ts'

const neverBroken = new AbortController().signal

export async function calmDemo(setting: Setting & { readonly keepRunning: boolean }): Promise<boolean> {
  const { terminal, stop } = setting
  const narrator = new Narrator(terminal)
  const perdure = await startServer(setting, narrator)
  const client = new PerdureClient(perdure.endpoint)
  try {
    narrator.say(`Perdure runs at ${perdure.endpoint}, with its data in ${setting.data}.`)
    narrator.say('An order is placed: it is validated, checked, packed, paid, approved by a human, and shipped.')
    narrator.say('')
    const proven = await runOrder({ client, setting, narrator, beforeApproval: async () => {}, broken: neverBroken })
    if (setting.keepRunning && !stop.aborted) {
      for (const line of nextSteps(perdure.endpoint, setting.name)) terminal.out(line)
      await aborted(stop)
      terminal.err('stopping: what runs may end, everything else goes on at the next start')
      return proven
    }
    return proven
  } finally {
    client.close()
    await perdure.close()
  }
}

/** On the port that was asked for; else on the usual one, or on any when that is used by something else. */
async function startServer(setting: Setting, narrator: Narrator): Promise<RunningPerdure> {
  const { loadConfig, startPerdure } = await serverModules()
  const config = await loadConfig(examplesConfig())
  const functions = config.functions.map((declared) => ({
    ...declared,
    environment: { ...declared.environment, PERDURE_LEDGER: setting.ledger },
  }))
  const start = (port: number) => startPerdure({ port, data: setting.data, functions })
  try {
    return await start(setting.port ?? DEFAULT_PORT)
  } catch (error) {
    if (setting.port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    narrator.say(`Port ${DEFAULT_PORT} is used by another program: the demo takes a free one.`)
    return await start(0)
  }
}

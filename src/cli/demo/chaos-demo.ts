/**
 * The demo with accidents. The server runs in a process of its own; what is killed, and when, follows from the ledger:
 *
 * 1. a function process, while it packs the last line (two are packed already);
 * 2. the server, while the payment that the order called captures the money;
 * 3. the server again, while the order waits for a human; the callback id from before the crash is answered after it.
 *
 * SIGKILL each time: nobody gets to say goodbye.
 */
import { PerdureClient } from '../../client/client.ts'
import { pause } from '../pause.ts'
import { duration } from '../render/amounts.ts'
import { type LedgerLine, readLedger } from './ledger-audit.ts'
import { Narrator } from './narrator.ts'
import { examplesConfig, LAST_PACKING } from './order.ts'
import { runOrder, type Setting } from './run-order.ts'
import { ServerProcess } from './server-process.ts'

/** How often the ledger is looked at; steps take longer than this by far. */
const lookMs = 20

export async function chaosDemo(setting: Setting): Promise<boolean> {
  const narrator = new Narrator(setting.terminal)
  const server = new ServerProcess({
    config: examplesConfig(),
    data: setting.data,
    ledger: setting.ledger,
    port: setting.port ?? 0,
  })
  try {
    const endpoint = await server.start()
    const client = new PerdureClient(endpoint)
    narrator.say(`Perdure runs at ${endpoint} (process ${server.pid}), with its data in ${setting.data}.`)
    narrator.say('An order is placed. While it runs, a function process and the server are killed.')
    narrator.say('')
    const over = new AbortController()
    const accidents = causeAccidents(setting, server, narrator, AbortSignal.any([setting.stop, over.signal]))
    const broken = new AbortController()
    accidents.catch((error: unknown) => broken.abort(error))
    const beforeApproval = async () => {
      await accidents
      await killServer(server, narrator, 'while the order waits for a human')
    }
    try {
      return await runOrder({ client, setting, narrator, beforeApproval, broken: broken.signal })
    } finally {
      over.abort()
      client.close()
      await accidents
    }
  } finally {
    await server.stop()
  }
}

async function causeAccidents(setting: Setting, server: ServerProcess, narrator: Narrator, signal: AbortSignal) {
  const packing = await ran(setting.ledger, LAST_PACKING, signal)
  if (packing === undefined) return
  process.kill(packing.pid, 'SIGKILL')
  narrator.act(`killed function process ${packing.pid} while it ran "${LAST_PACKING}"`)

  if ((await ran(setting.ledger, 'capture', signal)) === undefined) return
  await killServer(server, narrator, 'while the payment ran "capture"')
}

async function killServer(server: ServerProcess, narrator: Narrator, when: string): Promise<void> {
  const { pid } = server
  await server.kill()
  narrator.act(`killed the server, process ${pid}, ${when}`)
  const startedAt = Date.now()
  await server.start()
  narrator.act(`started the server again, process ${server.pid}: ready after ${duration(Date.now() - startedAt)}`)
}

/** Resolves when the ledger says that the step's code has started; undefined when aborted before. */
async function ran(ledger: string, step: string, signal: AbortSignal): Promise<LedgerLine | undefined> {
  while (!signal.aborted) {
    const line = (await readLedger(ledger)).find((each) => each.fact === 'ran' && each.step === step)
    if (line !== undefined) return line
    await pause(lookMs, signal)
  }
  return undefined
}

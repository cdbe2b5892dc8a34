/**
 * Puts a worker together (`functions/workers/worker.ts`): with the system's clock and chance, and with what a server
 * has for processes of its own. The command line is a thin layer over it.
 */
import { hostname } from 'node:os'
import { watchFootprints } from './functions/footprints.ts'
import { noIsolation } from './functions/isolation/isolation.ts'
import { openProcessRecords } from './functions/process-records.ts'
import { startWatchdog } from './functions/watchdog.ts'
import { createForwarding } from './functions/workers/forwarding.ts'
import { startWorker as startAttaching, type WorkerNews } from './functions/workers/worker.ts'
import { prepareLaunch, type WorkerCode } from './functions/workers/worker-launch.ts'
import { createSystemEntropy, createSystemTimers, systemClock } from './service/clock-adapters.ts'
import type { LogRecord } from './service/ports.ts'

export interface StartWorkerOptions {
  /** Of the server; `https:` where a proxy stands before it. */
  readonly server: URL
  /** Sent with every request to the server, for a proxy on the way. */
  readonly headers?: Readonly<Record<string, string>>
  readonly functionName: string
  /** `$LATEST`, the default, or a version's number. */
  readonly qualifier?: string
  readonly code: WorkerCode
  /** What the server calls it. Default: host name and process id. */
  readonly name?: string
  /** Default 1. */
  readonly processes?: number
  /** Invocations have no deadlines. Default false. */
  readonly noTimeout?: boolean
  /** Debuggers may attach to the processes of a module, which then have no deadlines. Default false. */
  readonly inspect?: boolean
  readonly printed: (record: LogRecord) => void
  readonly tell: (news: WorkerNews) => void
}

export interface RunningWorker {
  /** Resolves when it has drained and no process is left. Rejects with an `AttachRefused`. */
  readonly ended: Promise<void>
  /** Takes no new invocations, lets those that run end, and ends. */
  drain(): void
}

/** How long a process may load its handler. */
const initLimitMs = 30_000

/** Rejects with a DeclarationError when its module cannot be compiled. */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const { server, functionName, headers = {}, inspect = false, noTimeout = false } = options
  const clock = systemClock
  const timers = createSystemTimers(clock)
  const { launch, close } = await prepareLaunch(options.code, functionName, inspect)
  const watchdog = startWatchdog({ clock, timers })
  const footprints = watchFootprints({ clock, timers })
  const forwarding = createForwarding({ server, headers, clock, timers })
  const worker = startAttaching({
    server,
    headers,
    functionName,
    qualifier: options.qualifier ?? '$LATEST',
    name: options.name ?? `${hostname()}:${process.pid}`,
    processes: options.processes ?? 1,
    forwarding,
    launch,
    host: {
      clock,
      timers,
      entropy: createSystemEntropy(),
      watchdog,
      footprints,
      isolation: noIsolation,
      records: openProcessRecords(undefined),
      initLimitMs,
      inspect: inspect || noTimeout,
      printed: options.printed,
    },
    tell: options.tell,
  })
  const dispose = async (): Promise<void> => {
    forwarding.close()
    footprints.close()
    await Promise.all([watchdog.close(), close()])
  }
  return { ended: worker.ended.finally(dispose), drain: () => worker.drain() }
}

export type { WorkerCode } from './functions/workers/worker-launch.ts'

/**
 * Decides whether a function is durable when its declaration does not say: a short-lived process loads the module as
 * a real one would and looks at the handler, without calling it (`bootstrap/durability.ts`). User code never runs in
 * the server.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Clock, Timers } from '../service/ports.ts'
import type { Failure } from './bootstrap/failure.ts'
import { DeclarationError } from './declaration-error.ts'
import { environmentOf } from './environment.ts'
import type { Isolation } from './isolation/isolation.ts'
import { plainLogging } from './logging.ts'
import { signalGroup } from './process-group.ts'
import { launchNode, type ModuleCode, type NodeBootstrap } from './runtimes/node-process.ts'
import { serverLine, spawnProcess } from './spawn-process.ts'
import type { Watchdog } from './watchdog.ts'

export interface ProbeHost {
  readonly bootstrap: NodeBootstrap
  readonly region: string
  readonly clock: Clock
  readonly timers: Timers
  readonly watchdog: Watchdog
  readonly isolation: Isolation
  /** How long the module may take to load. */
  readonly limitMs: number
}

/** True when the exported handler was made by the official SDK. */
export async function isDurable(host: ProbeHost, functionName: string, code: ModuleCode): Promise<boolean> {
  const memoryMb = 512
  const maxConcurrency = 1
  const { isolation } = host
  const launch = launchNode(host.bootstrap, code, { mode: 'probe', memoryMb, maxConcurrency, inspect: false })
  const child = await spawnProcess({
    ...isolation.begin(launch),
    lines: launch.lines,
    environment: environmentOf(launch, {
      inherited: isolation.inherited,
      functionName,
      version: '$LATEST',
      memoryMb,
      maxConcurrency,
      region: host.region,
      // Nobody listens there: a module that calls the Lambda API while it loads fails fast.
      runtimeAuthority: '127.0.0.1:9',
      logStream: 'probe',
      logging: plainLogging(functionName),
    }),
  })
  host.watchdog.watch(child.pid)
  const cancel = host.timers.at(host.clock.now() + host.limitMs, () => signalGroup(child.pid, 'SIGKILL'))
  try {
    child.stdout?.resume()
    const exit = once(child, 'exit').then(() => signalGroup(child.pid, 'SIGKILL'))
    const [told, printed] = await Promise.all([text(lineOf(child)), text(errorsOf(child)), exit])
    return verdict(told, printed, functionName, code.source.file)
  } finally {
    cancel()
    host.watchdog.unwatch(child.pid)
  }
}

function verdict(told: string, printed: string, functionName: string, file: string): boolean {
  const answer =
    told === '' ? undefined : (JSON.parse(told) as { readonly durable?: boolean; readonly failure?: Failure })
  if (answer?.durable !== undefined) return answer.durable
  const reason = answer?.failure ?? { errorType: 'Runtime.ExitError', errorMessage: lastLines(printed), trace: [] }
  throw new DeclarationError(
    `The module of function "${functionName}" cannot be loaded (${file}): ${reason.errorType}: ${reason.errorMessage}`,
    'Whether the function is durable cannot be seen, so it cannot be served.',
    'Correct the module, or say in the declaration whether it is durable: durable: { ExecutionTimeout } or durable: false.',
  )
}

function lastLines(printed: string): string {
  const tail = printed.trim().split('\n').slice(-5).join('\n')
  return tail === '' ? 'the process ended, or did not finish loading in time' : tail
}

function lineOf(child: ChildProcess): Readable {
  return child.stdio[serverLine] as Readable
}

function errorsOf(child: ChildProcess): Readable {
  return child.stderr as Readable
}

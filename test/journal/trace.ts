/** Runs `appending-process.ts`, or whatever a test starts, under strace, and reads the trace. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One completed call. Calls of other threads may lie between its begin and its end: both are line numbers. */
export interface SystemCall {
  readonly name: string
  readonly text: string
  readonly begin: number
  readonly end: number
  readonly succeeded: boolean
}

export interface TracedRun {
  readonly printed: readonly string[]
  readonly calls: readonly SystemCall[]
}

/** Why nothing can be traced here, or false. For the `skip` of a test. */
export function whyUntraceable(): string | false {
  const probe = spawnSync('strace', ['-f', '-o', '/dev/null', process.execPath, '--version'])
  if (probe.error !== undefined) return 'strace is not installed: the order of sync and answer was NOT checked'
  if (probe.status !== 0) return 'strace may not trace here: the order of sync and answer was NOT checked'
  return false
}

export function traceAppends(options: {
  readonly directory: string
  readonly callers: number
  readonly appends: number
  /** A fault for strace to inject, such as `fsync:error=EIO:when=9+`. */
  readonly inject?: string
}): TracedRun {
  const trace = join(options.directory, 'trace')
  const script = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
  const data = join(options.directory, 'data')
  const strace = ['-f', '-y', '-s', '5000', '-e', 'trace=write,pwrite64,pwritev,fsync,fdatasync', '-o', trace]
  if (options.inject !== undefined) strace.push('-e', `inject=${options.inject}`)
  const run = spawnSync(
    'strace',
    [...strace, process.execPath, script, data, String(options.callers), String(options.appends)],
    { encoding: 'utf8', timeout: 60_000 },
  )
  if (run.status !== 0) throw new Error(`The traced process ended with ${run.status ?? run.signal}: ${run.stderr}`)
  return { printed: run.stdout.trim().split('\n'), calls: callsOf(readFileSync(trace, 'latin1')) }
}

/**
 * Lines of `strace -f`:
 *
 *     26104 fsync(29</tmp/d/journal.db-wal>) = 0
 *     26104 fsync(29</tmp/d/journal.db-wal> <unfinished ...>
 *     26104 <... fsync resumed>)              = 0
 */
export function callsOf(trace: string): SystemCall[] {
  const unfinished = new Map<string, { name: string; text: string; begin: number }>()
  const calls: SystemCall[] = []
  trace.split('\n').forEach((line, number) => {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/s.exec(line) ?? []
    const name = /^(\w+)\(/.exec(rest)?.[1]
    if (name !== undefined && rest.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { name, text: rest, begin: number })
    } else if (name !== undefined) {
      calls.push({ name, text: rest, begin: number, end: number, succeeded: succeeded(rest) })
    } else if (rest.startsWith('<... ')) {
      const begun = unfinished.get(thread)
      if (begun !== undefined)
        calls.push({ ...begun, text: begun.text + rest, end: number, succeeded: succeeded(rest) })
      unfinished.delete(thread)
    }
  })
  return calls
}

const succeeded = (text: string): boolean => /\) += \d+$/.test(text)

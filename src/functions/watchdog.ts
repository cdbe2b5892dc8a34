/**
 * Ends the function processes of a server that was killed (decision 22). The bootstrap ends itself when its line to
 * the server breaks, but only its event loop can notice, and a busy handler, a runtime in another language or a forked
 * child never would. So one shell per server, of about a megabyte, holds a pipe from it: it is told of every process
 * group and kills those that are left when the pipe reaches its end. It leads a session of its own and ignores what a
 * terminal sends to the server's group.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Timers } from '../service/ports.ts'

export interface Watchdog {
  watch(group: number): void
  unwatch(group: number): void
  /** Kills what is left and ends, or is ended after a moment: a shell that was stopped would never do it. */
  close(): Promise<void>
}

/** It takes milliseconds, on a machine with nothing else to do. */
const closeLimitMs = 2_000

const script = `
trap '' HUP INT TERM QUIT
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`

export function startWatchdog({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }): Watchdog {
  if (process.platform === 'win32') return { watch: () => {}, unwatch: () => {}, close: async () => {} }
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} })
  const ended = new Promise<void>((resolve) => {
    shell.once('exit', () => resolve())
    // No shell on this system: the other two defences (the bootstrap's line, the reaper at start) remain.
    shell.once('error', () => resolve())
  })
  release(shell)
  const tell = (line: string): void => {
    if (shell.stdin?.writable === true) shell.stdin.write(line)
  }
  return {
    watch: (group) => tell(`+ ${group}\n`),
    unwatch: (group) => tell(`- ${group}\n`),
    close: async () => {
      shell.ref()
      shell.stdin?.end()
      const cancel = timers.at(clock.now() + closeLimitMs, () => shell.kill('SIGKILL'))
      await ended
      cancel()
    },
  }
}

/** The watchdog must not keep an otherwise finished server alive, and its death is no error of the server. */
function release(shell: ChildProcess): void {
  shell.unref()
  const { stdin } = shell
  if (stdin !== null) {
    stdin.on('error', () => {})
    if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  }
}

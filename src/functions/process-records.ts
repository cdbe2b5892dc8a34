/**
 * The last of three defences against orphans (decision 22): every function process is on record in the data directory,
 * and a server that starts there kills what an earlier one left behind. A record is a small file named after the
 * process id; it holds what tells the process from a later one of the same number.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signalGroup } from './process-group.ts'

export interface ProcessRecords {
  add(pid: number): void
  remove(pid: number): void
}

const none: ProcessRecords = { add: () => {}, remove: () => {} }

/** Kills the processes on record, then keeps records of its own. The directory is locked by its server (decision 25). */
export function openProcessRecords(directory: string | undefined): ProcessRecords {
  if (directory === undefined) return none
  mkdirSync(directory, { recursive: true })
  for (const name of readdirSync(directory)) {
    const pid = Number(name)
    if (Number.isSafeInteger(pid) && pid > 1) reap(pid, readFileSync(join(directory, name), 'utf8'))
    rmSync(join(directory, name), { force: true })
  }
  return {
    add: (pid) => {
      const identity = identify(pid)
      if (identity !== undefined) writeFileSync(join(directory, String(pid)), identity)
    },
    remove: (pid) => rmSync(join(directory, String(pid)), { force: true }),
  }
}

function reap(pid: number, recorded: string): void {
  const identity = identify(pid)
  const [bootOfRecord] = recorded.split(' ')
  // A leader that is gone may have left children: while they live the kernel gives its number to no other process.
  const onlyChildrenLeft = identity === undefined && bootOfRecord !== '' && bootOfRecord === boot()
  if (identity === recorded || onlyChildrenLeft) signalGroup(pid, 'SIGKILL')
}

/** `<boot> <start time>` of a living process. */
function identify(pid: number): string | undefined {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startElsewhere(pid)
  return startedAt === undefined ? undefined : `${boot()} ${startedAt}`
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22, counted from behind the command, which may contain anything but ends with the last parenthesis.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // No such process.
    return undefined
  }
}

function startElsewhere(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    // ps answers with exit status 1 when there is no such process.
    return undefined
  }
}

let bootId: string | undefined

/** Names this boot of the machine on Linux; empty elsewhere. */
function boot(): string {
  if (bootId === undefined) {
    try {
      bootId = process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : ''
    } catch {
      // Hidden in some containers.
      bootId = ''
    }
  }
  return bootId
}

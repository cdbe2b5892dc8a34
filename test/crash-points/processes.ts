/** What the kernel says of processes (Linux): whether one is stopped, and which belong to a folder. */
import { readdirSync, readFileSync } from 'node:fs'

/** Every thread is stopped by a signal. */
export function isStopped(pid: number): boolean {
  if (stateOf(`/proc/${pid}/stat`) !== 'T') return false
  const states = tasksOf(pid).map((task) => stateOf(`/proc/${pid}/task/${task}/stat`))
  return states.length > 0 && states.every((state) => state === 'T')
}

export interface OwnedProcess {
  readonly pid: number
  readonly parent: number
}

/** Living processes that were started with the folder's path in their arguments or their environment. */
export function processesOf(folder: string): OwnedProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => text(`/proc/${pid}/environ`).includes(folder) || text(`/proc/${pid}/cmdline`).includes(folder))
    .map((pid) => ({ pid, parent: Number(fieldsOf(`/proc/${pid}/stat`)[1] ?? 0) }))
    .filter(({ pid }) => fieldsOf(`/proc/${pid}/stat`)[0] !== 'Z')
}

const stateOf = (file: string): string | undefined => fieldsOf(file)[0]

/** The fields behind the command, which may contain anything but ends with the last parenthesis: state, parent, ... */
function fieldsOf(file: string): string[] {
  const stat = text(file)
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has ended between the listing and the look.
    return []
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // It has ended between the listing and the look, or is somebody else's.
    return ''
  }
}

/** Process groups: a function process leads one, so that whatever it forked ends with it. */
import { readdirSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/** Of function processes: when all want the processor, the server gets about three times the share of each. */
export const functionNiceness = 5
/** On a machine without memory left, the kernel shall take the functions first. From −1,000 to 1,000, the server at 0. */
const outOfMemoryScore = 500

/** A new process, and all that it will fork, comes after the server when processor or memory run short. */
export function yieldToServer(pid: number): void {
  attempt(() => setPriority(pid, functionNiceness))
  if (process.platform !== 'linux') return
  // Threads that it has already have a niceness of their own.
  attempt(() => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), functionNiceness)
  })
  // Where the kernel shares the processor among sessions first, as on most workstations, only a session's own niceness
  // counts against other sessions. The process leads one: however many it forks, they share what one gets.
  attempt(() => writeFileSync(`/proc/${pid}/autogroup`, String(functionNiceness)))
  attempt(() => writeFileSync(`/proc/${pid}/oom_score_adj`, String(outOfMemoryScore)))
}

/** The lowest priority there is, for one of very many. */
export function yieldToAll(pid: number): void {
  attempt(() => setPriority(pid, constants.priority.PRIORITY_LOW))
}

function attempt(lower: () => void): void {
  try {
    lower()
  } catch {
    // The process has ended already, or the system does not offer this: then all are equal.
  }
}

/** Signals the leader and everything it forked. Without groups (Windows) the leader alone. True when anything was there. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(process.platform === 'win32' ? leader : -leader, signal)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // ESRCH: gone already. EPERM (macOS): only zombies are left of it.
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}

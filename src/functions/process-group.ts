/** Process groups: a function process leads one, so that whatever it forked ends with it. */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** The niceness of function processes: when all want the processor, the server gets about three times their share. */
const niceness = 5
/** On a machine without memory left, the kernel shall take the functions first. From −1,000 to 1,000, the server at 0. */
const outOfMemoryScore = 500

/** A new process, and all that it will fork, comes after the server when processor or memory run short. */
export function yieldToServer(pid: number): void {
  try {
    setPriority(pid, niceness)
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/oom_score_adj`, String(outOfMemoryScore))
  } catch {
    // It has ended already, or the system does not let processes be lowered: then all are equal.
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

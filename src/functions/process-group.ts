/** Process groups: a function process leads one, so that whatever it forked ends with it. */

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

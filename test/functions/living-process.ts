import { readFileSync } from 'node:fs'

/** Alive and not merely unburied: a killed process stays in the table until its parent, or init, has asked for it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform !== 'linux') return true
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** Resolves when the process has ended; rejects after five seconds. The kernel tells nobody but the parent, so this looks. */
export async function gone(pid: number): Promise<void> {
  const until = performance.now() + 5_000
  while (isAlive(pid)) {
    if (performance.now() > until) throw new Error(`process ${pid} still lives`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

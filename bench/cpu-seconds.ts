/** The CPU that a server and its functions have used, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc (USER_HZ), the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export interface CpuSeconds {
  readonly server: number
  /** Of the processes that the server started. */
  readonly functions: number
}

/** Undefined where there is no /proc. Processes that have ended are not counted. */
export function cpuSeconds(server: number): CpuSeconds | undefined {
  if (process.platform !== 'linux') return undefined
  const used = { server: 0, functions: 0 }
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (stat === undefined) continue
    if (Number(name) === server) used.server += stat.seconds
    else if (stat.parent === server) used.functions += stat.seconds
  }
  return used
}

function statOf(pid: number): { parent: number; seconds: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND }
  } catch {
    // It has ended between the listing and the look.
    return undefined
  }
}

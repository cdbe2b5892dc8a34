/**
 * How much memory each function process uses together with everything it forked, and how many processes that is: looked
 * at a few times a second, because the kernel tells nobody (control groups would, but need rights that a server on a
 * workstation has not). The limit of the heap ends most handlers that want too much; this ends those that take it in
 * buffers, native modules or children.
 *
 * Counted is what a process has for itself; the pages of programs and libraries that it shares are everybody's.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Clock, Timers } from '../service/ports.ts'

export interface Footprint {
  readonly memoryKb: number
  /** Their ids. */
  readonly processes: readonly number[]
}

export interface Footprints {
  /** `tell` gets every measurement of the group until the returned function is called. */
  watch(group: number, tell: (footprint: Footprint) => void): () => void
  close(): void
}

/** As many processes as an execution environment of the real service may have. */
export const maxProcesses = 1_024

const lookMs = 250
/** Looking takes at most this share of the time. */
const timeShare = 0.05
/** Groups whose leader was never seen with a child are searched for others this often: it may have forked in between. */
const searchMs = 5_000
/** So many processes are looked at before others may use the event loop. */
const batch = 32
const pageKb = 4

interface Measuring {
  memoryKb: number
  readonly processes: number[]
}

interface Watched {
  readonly tell: (footprint: Footprint) => void
  hasForked: boolean
}

export function watchFootprints(ports: { readonly clock: Clock; readonly timers: Timers }): Footprints {
  if (process.platform === 'win32') return { watch: () => () => {}, close: () => {} }
  const { clock, timers } = ports
  const groups = new Map<number, Watched>()
  let searchedAt = clock.now()
  let cancel: (() => void) | undefined

  const look = async (): Promise<void> => {
    const begunAt = clock.now()
    if (process.platform === 'linux') await lookInProc()
    else tellAll(await askPs())
    const now = clock.now()
    const due = now + Math.max(lookMs, (now - begunAt) / timeShare)
    cancel = groups.size === 0 ? undefined : timers.at(due, () => void look())
  }
  const lookInProc = async (): Promise<void> => {
    for (const [leader, watched] of groups) watched.hasForked ||= hasChildren(leader)
    const searchAll = clock.now() - searchedAt >= searchMs
    if (searchAll) searchedAt = clock.now()
    if (searchAll || [...groups.values()].some(({ hasForked }) => hasForked)) tellAll(await searchProc(groups))
    else for (const [leader, { tell }] of [...groups]) tell({ memoryKb: ownMemoryKb(leader), processes: [leader] })
  }
  const tellAll = (found: ReadonlyMap<number, Footprint>): void => {
    for (const [group, watched] of [...groups]) {
      const footprint = found.get(group)
      if (footprint === undefined) continue
      watched.hasForked ||= footprint.processes.length > 1
      watched.tell(footprint)
    }
  }

  return {
    watch: (group, tell) => {
      const watched = { tell, hasForked: false }
      groups.set(group, watched)
      cancel ??= timers.at(clock.now() + lookMs, () => void look())
      return () => {
        // The number may have been given to another process by now.
        if (groups.get(group) === watched) groups.delete(group)
      }
    },
    close: () => {
      groups.clear()
      cancel?.()
    },
  }
}

function hasChildren(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1') !== ''
  } catch {
    // It has just ended, or the kernel does not offer this: then all groups are searched.
    return true
  }
}

function ownMemoryKb(pid: number): number {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    return (Number(resident) - Number(shared)) * pageKb
  } catch {
    // It has just ended.
    return 0
  }
}

async function searchProc(groups: ReadonlyMap<number, unknown>): Promise<Map<number, Footprint>> {
  const found = new Map<number, Measuring>()
  let looked = 0
  for (const name of listProc()) {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid)) continue
    looked += 1
    if (looked % batch === 0) await new Promise((resolve) => setImmediate(resolve))
    const group = groupOf(pid)
    if (group !== undefined && groups.has(group)) add(found, group, pid, ownMemoryKb(pid))
  }
  return found
}

/** While no descriptor is free there is nothing to compare with the limits; the next look asks again. */
function listProc(): readonly string[] {
  try {
    return readdirSync('/proc')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EMFILE' || code === 'ENFILE') return []
    throw error
  }
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Behind the command, which may contain anything but ends with the last parenthesis: state, parent, group.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3)[2])
  } catch {
    // It has ended between the listing and the look.
    return undefined
  }
}

/** Without an answer there is nothing to compare with the limits; the next look asks again. */
function askPs(): Promise<Map<number, Footprint>> {
  return new Promise((resolve) => {
    execFile('ps', ['-axo', 'pgid=,pid=,rss='], (error, text) => {
      const found = new Map<number, Measuring>()
      for (const line of error === null ? text.trim().split('\n') : []) {
        const [group, pid, memoryKb] = line.trim().split(/\s+/).map(Number)
        if (group !== undefined && pid !== undefined && memoryKb !== undefined) add(found, group, pid, memoryKb)
      }
      resolve(found)
    })
  })
}

function add(found: Map<number, Measuring>, group: number, pid: number, memoryKb: number): void {
  const known = found.get(group) ?? { memoryKb: 0, processes: [] }
  known.memoryKb += memoryKb
  known.processes.push(pid)
  found.set(group, known)
}

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
  readonly processes: number
}

export interface Footprints {
  /** `tell` gets every measurement of the group until the returned function is called. */
  watch(group: number, tell: (footprint: Footprint) => void): () => void
  close(): void
}

/** As many processes as an execution environment of the real service may have. */
export const maxProcesses = 1_024

const lookMs = 250
/** Groups whose leader was never seen with a child are searched for others this often: it may have forked in between. */
const searchMs = 5_000
const pageKb = 4

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

  const look = (): void => {
    if (process.platform === 'linux') lookInProc()
    else askPs(tellAll)
    lookLater()
  }
  const lookLater = (): void => {
    cancel = groups.size === 0 ? undefined : timers.at(clock.now() + lookMs, look)
  }
  const lookInProc = (): void => {
    for (const [leader, watched] of groups) watched.hasForked ||= hasChildren(leader)
    const searchAll = clock.now() - searchedAt >= searchMs
    if (searchAll) searchedAt = clock.now()
    if (searchAll || [...groups.values()].some(({ hasForked }) => hasForked)) tellAll(searchProc(groups))
    else for (const [leader, { tell }] of groups) tell({ memoryKb: ownMemoryKb(leader), processes: 1 })
  }
  const tellAll = (found: ReadonlyMap<number, Footprint>): void => {
    for (const [group, watched] of groups) {
      const footprint = found.get(group)
      if (footprint === undefined) continue
      watched.hasForked ||= footprint.processes > 1
      watched.tell(footprint)
    }
  }

  return {
    watch: (group, tell) => {
      groups.set(group, { tell, hasForked: false })
      if (cancel === undefined) lookLater()
      return () => groups.delete(group)
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

function searchProc(groups: ReadonlyMap<number, unknown>): Map<number, Footprint> {
  const found = new Map<number, Footprint>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid)) continue
    const group = groupOf(pid)
    if (group === undefined || !groups.has(group)) continue
    add(found, group, ownMemoryKb(pid))
  }
  return found
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

function askPs(answer: (found: ReadonlyMap<number, Footprint>) => void): void {
  execFile('ps', ['-axo', 'pgid=,rss='], (error, text) => {
    // Without an answer there is nothing to compare with the limits; the next look asks again.
    if (error !== null) return
    const found = new Map<number, Footprint>()
    for (const line of text.trim().split('\n')) {
      const [group, memoryKb] = line.trim().split(/\s+/).map(Number)
      if (group !== undefined && memoryKb !== undefined) add(found, group, memoryKb)
    }
    answer(found)
  })
}

function add(found: Map<number, Footprint>, group: number, memoryKb: number): void {
  const known = found.get(group) ?? { memoryKb: 0, processes: 0 }
  found.set(group, { memoryKb: known.memoryKb + memoryKb, processes: known.processes + 1 })
}

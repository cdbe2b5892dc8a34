/** How a server is doing while it is attacked: its memory and open files as the kernel counts them, and its pulse. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

const LOOK_MS = 100

export interface Vitals {
  readonly rssMb: number
  readonly openFiles: number
}

/** Undefined where the kernel does not tell. */
export function vitalsOf(pid: number): Vitals | undefined {
  if (process.platform !== 'linux') return undefined
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return { rssMb: Number(kb) / 1_024, openFiles: readdirSync(`/proc/${pid}/fd`).length }
}

export interface Watch {
  /** The most memory that was seen. */
  readonly peakMb: () => number
  stop(): void
}

export function watchMemory(pid: number): Watch {
  let peakMb = 0
  const look = (): void => {
    peakMb = Math.max(peakMb, vitalsOf(pid)?.rssMb ?? 0)
  }
  look()
  const timer = setInterval(look, LOOK_MS)
  return { peakMb: () => peakMb, stop: () => clearInterval(timer) }
}

/** The milliseconds that each answer took, sorted, once asked for. */
export function takePulse(port: number): () => Promise<readonly number[]> {
  const worker = new Worker(join(import.meta.dirname, 'pulse-worker.ts'), { workerData: { port } })
  return () =>
    new Promise((resolve, reject) => {
      worker.once('message', (taken: number[]) => resolve(taken.toSorted((a, b) => a - b))).once('error', reject)
      worker.postMessage('stop')
    })
}

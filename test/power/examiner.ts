/** A thread that examines its share of a recording (`examination.ts`), so that all processors do. */
import { readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Examination, type Share, type Tally } from './examination.ts'
import type { Recording } from './recording.ts'
import type { Reference } from './reference.ts'
import { readTrace } from './trace.ts'

interface Task {
  readonly recording: Omit<Recording, 'records'>
  readonly reference: Reference
  readonly share: Share
}

/** Examines a recording in so many threads until the time is over, and puts together what each of them saw. */
export async function examine(
  recording: Recording,
  reference: Reference,
  how: { readonly threads: number; readonly seed: number; readonly scratch: string; readonly untilMs: number },
): Promise<Tally> {
  const { records: _, ...rest } = recording
  const shares = Array.from({ length: how.threads }, (_, part) => {
    const share = { ...how, part, parts: how.threads, scratch: `${how.scratch}-${part}` }
    return runShare({ recording: rest, reference, share })
  })
  return (await Promise.all(shares)).reduce(together)
}

function runShare(task: Task): Promise<Tally> {
  const { promise, resolve, reject } = Promise.withResolvers<Tally>()
  const worker = new Worker(new URL(import.meta.url), { workerData: task })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', (code) => reject(new Error(`an examiner ended with ${code}`)))
  return promise
}

function together(a: Tally, b: Tally): Tally {
  const images = { ...a.images }
  for (const loss of Object.keys(images) as (keyof typeof images)[]) images[loss] += b.images[loss]
  return {
    prefixes: a.prefixes + b.prefixes,
    images,
    repeated: a.repeated + b.repeated,
    findings: [...a.findings, ...b.findings],
  }
}

if (!isMainThread) {
  const { recording, reference, share } = workerData as Task
  const records = readTrace(readFileSync(recording.trace))
  parentPort?.postMessage(new Examination({ ...recording, records }, reference, share).run())
}

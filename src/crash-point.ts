/**
 * Named moments at which a test may end or stop this process, to see what is left. Around every commit, answer,
 * hand-over and delivery there is one; `npm run crash-points` has a workload for each, and takes the list from here.
 * A leaf: it knows no room, and every room may call it. Off, which is always but in that test, a point costs a
 * comparison.
 *
 * `PERDURE_CRASH_POINT`, read when a thread starts, is one of
 *
 *     <point>:<hit>:<SIGKILL | SIGSTOP>   sends this process the signal when it reaches the point for the hit-th time
 *     trace:<file>                        appends the name of each point reached to the file, one a line
 *
 * Hits are counted by thread; no point lies on the way of two.
 */
import { appendFileSync } from 'node:fs'

export const CRASH_POINTS = [
  // Opening: the directory's lock, the schema.
  'lock-taken',
  'migration-due',
  'migration-written',
  'migration-committed',
  // What the last process left.
  'recovery-begun',
  'recovery-midway',
  'recovery-armed',
  'recovery-done',
  // A group of writes in the writer's thread: before its transaction, before COMMIT, after it; then in the main thread.
  'group-arrived',
  'group-written',
  'group-committed',
  'group-reported',
  // Commands on an execution: before the append; when it is durable; with its effects set off, before the answers.
  'start-decided',
  'start-durable',
  'round-decided',
  'round-durable',
  'round-followed-up',
  // An answer over HTTP.
  'answer-made',
  'answer-sent',
  // An invocation, from the decision to its end in the journal.
  'invocation-due',
  'invocation-recorded',
  'invocation-handed-over',
  'outcome-posted',
  'outcome-known',
  'outcome-recorded',
  // A function process, before there is a record of it.
  'process-spawned',
  // A timer, before anybody looks at what is due, and when that is in the journal.
  'timer-due',
  'timer-fired',
  // A duty toward somebody else: before its delivery, before its row goes, after.
  'duty-due',
  'duty-delivered',
  'duty-settled',
  // A snapshot: before it is sent to the store, in its transaction, when it is durable.
  'snapshot-made',
  'snapshot-written',
  'snapshot-durable',
  // Removing an execution: its duty, the steps in the store, the sweep of those whose retention is over.
  'purge-due',
  'purge-begun',
  'purge-step-done',
  'purge-written',
  'expired-found',
  'expired-removed',
  // The write-ahead log: pages move to the database; the file is emptied at the end.
  'wal-move-due',
  'wal-moved',
  'wal-truncation-due',
  'wal-truncated',
  // Closing in order.
  'drain-begun',
  'drained',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

const SIGNALS = ['SIGKILL', 'SIGSTOP'] as const

type Order =
  | { readonly kind: 'trace'; readonly file: string }
  | { readonly kind: 'signal'; readonly point: CrashPoint; readonly signal: (typeof SIGNALS)[number]; hitsLeft: number }

const order = readOrder(process.env['PERDURE_CRASH_POINT'])

export function crashPoint(point: CrashPoint): void {
  if (order !== undefined) reach(order, point)
}

/** A stop reaches this thread a moment after the call that sends it: it waits for it here, not further on. */
const STOP_ARRIVES_WITHIN_MS = 50
const never = new Int32Array(new SharedArrayBuffer(4))

function reach(reached: Order, point: CrashPoint): void {
  if (reached.kind === 'trace') {
    appendFileSync(reached.file, `${point}\n`)
    return
  }
  if (reached.point !== point) return
  reached.hitsLeft -= 1
  if (reached.hitsLeft !== 0) return
  process.kill(process.pid, reached.signal)
  Atomics.wait(never, 0, 0, STOP_ARRIVES_WITHIN_MS)
}

function readOrder(text: string | undefined): Order | undefined {
  if (text === undefined) return undefined
  if (text.startsWith('trace:')) return { kind: 'trace', file: text.slice('trace:'.length) }
  const [name, hit, signalName] = text.split(':')
  const point = CRASH_POINTS.find((known) => known === name)
  const signal = SIGNALS.find((known) => known === signalName)
  const hitsLeft = Number(hit)
  if (point === undefined || signal === undefined || !Number.isSafeInteger(hitsLeft) || hitsLeft < 1) {
    throw new Error(
      `PERDURE_CRASH_POINT is "${text}": it must be <point>:<hit>:<${SIGNALS.join(' | ')}> or trace:<file>`,
    )
  }
  return { kind: 'signal', point, signal, hitsLeft }
}

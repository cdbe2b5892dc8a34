/**
 * Fills a store with executions that the product itself decides: each journal is made by `begin` and `decide` and
 * appended as the service appends, only without functions and HTTP between.
 */
import { apply, found } from '../src/engine/apply.ts'
import { encodeEntry } from '../src/engine/codec.ts'
import { begin, decide } from '../src/engine/decide.ts'
import { indexOf } from '../src/engine/effects.ts'
import type { Command, Entry, ExecutionState } from '../src/engine/model.ts'
import { currentToken } from '../src/engine/token.ts'
import type { AppendItem, Store } from '../src/journal/store.ts'
import { formatExecutionArn } from '../src/protocol/arn.ts'
import { DEFAULT_LIMITS } from '../src/protocol/limits.ts'
import { createSystemEntropy } from '../src/service/clock-adapters.ts'
import { benchFunction } from './open-invocations.ts'

const BATCH = 512
const PAYLOAD = JSON.stringify('y'.repeat(200))
const entropy = createSystemEntropy()

/** One execution as one append item: its journal from start to the end, or to a wait that is due at `wakeMs`. */
function execution(nowMs: number, wakeMs: number | undefined): AppendItem {
  const fn = benchFunction('quick')
  const executionId = entropy.uuid()
  const config = fn.durable ?? { ExecutionTimeout: 1 }
  const start = {
    executionId,
    arn: formatExecutionArn(fn.arn, executionId, executionId),
    name: executionId,
    functionName: fn.name,
    version: fn.version,
    functionArn: fn.arn,
    config,
    mode: 'async',
    inputHash: '',
  } as const
  const first = begin({ start, input: '{"order":1}', now: nowMs })
  const state = found(first)
  const entries: Entry[] = [first]
  const send = (command: Command): void => {
    const decision = decide(state, command, { now: nowMs, entropy: () => entropy.hex(16) }, DEFAULT_LIMITS)
    if ('error' in decision) throw decision.error
    if (decision.entry === undefined) return
    apply(state, decision.entry)
    entries.push(decision.entry)
  }
  play(state, send, wakeMs === undefined ? undefined : Math.max(1, Math.round((wakeMs - nowMs) / 1000)))
  return {
    target: {
      create: { ...start, startedAt: nowMs, retentionDays: 90, sdkInvocationId: undefined },
    },
    firstSeq: 1,
    entries: entries.map((entry) => ({ firstEventId: entry.firstEventId, text: encodeEntry(entry) })),
    index: indexOf(state),
    outbox: [],
  }
}

function play(state: ExecutionState, send: (command: Command) => void, waitSeconds: number | undefined): void {
  send({ kind: 'startInvocation', requestId: entropy.uuid() })
  for (const Id of ['a', 'b', 'c']) {
    const step = { Id, Name: 'work', Type: 'STEP', SubType: 'Step' } as const
    const updates = [
      { ...step, Action: 'START' },
      { ...step, Action: 'SUCCEED', Payload: PAYLOAD },
    ] as const
    send({ kind: 'checkpoint', token: currentToken(state) ?? '', updates })
  }
  if (waitSeconds !== undefined) {
    const updates = [{ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: waitSeconds } }] as const
    send({ kind: 'checkpoint', token: currentToken(state) ?? '', updates })
  }
  const body = JSON.stringify(
    waitSeconds === undefined ? { Status: 'SUCCEEDED', Result: '"done"' } : { Status: 'PENDING' },
  )
  const requestId = state.invocation?.requestId ?? ''
  send({ kind: 'endInvocation', requestId, outcome: { kind: 'response', body } })
}

/** Appends `count` executions; returns the ARNs of a sample of about a hundred. */
export async function fill(
  store: Store,
  count: number,
  startedAt: (index: number) => number,
  wakeAt: (index: number) => number | undefined,
): Promise<string[]> {
  const sample: string[] = []
  const every = Math.max(1, Math.floor(count / 100))
  let flying: Promise<void> = Promise.resolve()
  for (let from = 0; from < count; from += BATCH) {
    const items: AppendItem[] = []
    for (let index = from; index < Math.min(count, from + BATCH); index++) {
      const item = execution(startedAt(index), wakeAt(index))
      if (index % every === 0 && 'create' in item.target) sample.push(item.target.create.arn)
      items.push(item)
    }
    // One batch is made while the one before it is written.
    await flying
    flying = store.append({ items, settled: [] }).then((results) => {
      if (results.some(({ ok }) => !ok)) throw new Error('an execution was not taken')
    })
  }
  await flying
  return sample
}

/**
 * Deliberate defects of the service and its store, one for each promise that the simulation watches over. Each must
 * be noticed within a few seeds: a check that nothing can fail checks nothing.
 */
import type { AppendBatch, AppendItem, AppendResult, ExecutionKey, Store } from '../../src/journal/store.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableService } from '../../src/service/api.ts'
import type { Clock } from '../../src/service/ports.ts'
import type { ScenarioName } from './scenario.ts'
import type { Sabotage } from './simulation.ts'

/** The original with some methods replaced; private members stay reachable for the others. */
function altered<T extends object>(original: T, changes: Partial<T>): T {
  return new Proxy(original, {
    get(target, name) {
      const changed = Reflect.get(changes, name)
      if (changed !== undefined) return changed
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A store whose appends go wrong in one way, from the tenth batch on. */
function brokenAppend(alter: (batch: AppendBatch) => { batch: AppendBatch; results?: readonly AppendResult[] }) {
  return (store: Store): Store => {
    let batches = 0
    return altered(store, {
      append: async (batch) => {
        if (batches++ < 10) return store.append(batch)
        const altered = alter(batch)
        const results = await store.append(altered.batch)
        return altered.results ?? results
      },
    })
  }
}

const continues = (item: AppendItem): boolean => 'key' in item.target
const keyOf = ({ target }: AppendItem) => ('key' in target ? target.key : undefined)

/** A store that says yes to some items without storing them. */
function forgetful(forgets: (item: AppendItem) => boolean) {
  return (store: Store): Store => {
    let forgotten = 0
    return altered(store, {
      append: async (batch) => {
        const kept = await store.append({ ...batch, items: batch.items.filter((item) => !forgets(item)) })
        const results = kept.values()
        return batch.items.map((item) => {
          if (!forgets(item)) return results.next().value ?? { ok: false, reason: 'conflict' }
          forgotten += 1
          return { ok: true, key: (keyOf(item) ?? 1_000_000 + forgotten) as ExecutionKey }
        })
      },
    })
  }
}

const DAY_MS = 86_400_000
/** What a 32-bit timer can wait for. */
const SHORT_TIMER_MS = 2_147_483_647
const NO_PROCESS = { ErrorType: 'ServiceException', ErrorMessage: 'no process' }

interface Defect {
  readonly sabotage: Sabotage
  /** What the simulation should say about it. */
  readonly noticed: RegExp
  /** The kind of world that shows it. Unset: a storm. */
  readonly scenario?: ScenarioName
}

export const DEFECTS: Readonly<Record<string, Defect>> = {
  'an append is acknowledged and dropped': {
    sabotage: {
      store: brokenAppend((batch) => {
        const dropped = batch.items.filter(continues)
        const kept = { ...batch, items: batch.items.filter((item) => !continues(item)) }
        const key = dropped[0] === undefined ? undefined : keyOf(dropped[0])
        if (batch.items.length !== 1 || key === undefined) return { batch }
        return { batch: kept, results: [{ ok: true, key }] }
      }),
    },
    noticed: /is not in the journal|is not in its entry|I2/,
  },
  'half of an item is stored': {
    sabotage: {
      store: brokenAppend((batch) => ({
        batch: {
          ...batch,
          items: batch.items.map((item) =>
            item.entries.length > 1 ? { ...item, entries: item.entries.slice(1) } : item,
          ),
        },
      })),
    },
    noticed: /begins at event|cannot be folded|was acknowledged/,
  },
  'a duty is not stored with its entry': {
    sabotage: {
      store: brokenAppend((batch) => ({
        batch: { ...batch, items: batch.items.map((item) => ({ ...item, outbox: [] })) },
      })),
    },
    noticed: /owes .*, posts/,
  },
  'what is to be told of an invocation is not stored': {
    sabotage: {
      store: brokenAppend((batch) => ({
        batch: { ...batch, posted: (batch.posted ?? []).filter(({ id }) => !id.startsWith('send:')) },
      })),
    },
    noticed: /P1: '(record|dead) .*' was told as undefined|the outbox still holds/,
  },
  'what an execution has to tell is settled before it is told': {
    sabotage: {
      store: (store) =>
        altered(store, { listOutbox: async (query) => (await store.listOutbox(query)).filter(({ id }) => id < 's') }),
    },
    noticed: /has not come to rest: .*outbox send:/,
  },
  'the index row is not written': {
    sabotage: {
      store: brokenAppend((batch) => ({
        batch: {
          ...batch,
          items: batch.items.map((item) => (continues(item) ? { ...item, index: undefined } : item)),
        },
      })),
    },
    noticed: /index row/,
  },
  'a stale token is answered': {
    sabotage: {
      service: (service) =>
        altered(service, {
          checkpoint: async (request) => {
            try {
              return await service.checkpoint(request)
            } catch (error) {
              if (!(error instanceof ApiError) || error.httpStatus !== 400) throw error
              return { CheckpointToken: request.token, NewExecutionState: { Operations: [] } }
            }
          },
        }),
    },
    noticed: /was acknowledged|was answered|accepted from/,
  },
  'an answer leaves before its commit': {
    sabotage: { service: (service) => altered(service, { checkpoint: answeredEarly(service) }) },
    noticed: /is not in the journal/,
  },
  'an answer shows an operation too few': {
    sabotage: {
      service: (service) =>
        altered(service, {
          checkpoint: async (request) => {
            const { NewExecutionState, ...token } = await service.checkpoint(request)
            return { ...token, NewExecutionState: { Operations: NewExecutionState.Operations.slice(1) } }
          },
        }),
    },
    noticed: /was answered with|has no CallbackId/,
  },
  'a second completion of a callback is accepted': {
    sabotage: {
      service: (service) =>
        altered(service, {
          completeCallback: async (request) => {
            try {
              await service.completeCallback(request)
            } catch (error) {
              if (!(error instanceof ApiError) || error.code !== 'CallbackTimeoutException') throw error
            }
          },
        }),
    },
    noticed: /was accepted twice|was acknowledged as/,
  },
  'a callback is refused that is open': {
    sabotage: {
      service: (service) =>
        altered(service, {
          completeCallback: () => Promise.reject(new ApiError('CallbackTimeoutException', 'closed')),
        }),
    },
    noticed: /was refused and is open/,
  },
  'the clock runs ahead, so timers fire early': {
    sabotage: { clock: (clock) => ({ now: () => clock.now() + 5_000 }) },
    noticed: /in the future|ms early/,
  },
  'a timer is forgotten': {
    sabotage: {
      timers: (timers) => {
        let set = 0
        return { at: (dueMs, call) => (set++ % 5 === 4 ? () => {} : timers.at(dueMs, call)) }
      },
    },
    noticed: /overdue|come to rest|does not end|outlives|P4: .* ms late/,
  },
  'two starts with one name give two executions': {
    sabotage: {
      service: (service) =>
        altered(service, {
          start: ({ name, ...request }) =>
            service.start({ ...request, name: name === undefined ? name : `${name}-${request.sdkInvocationId}` }),
        }),
    },
    noticed: /one start gave two executions|has another name/,
  },
  'a history page changes': {
    sabotage: {
      service: (service) =>
        altered(service, {
          history: async (request) => {
            const page = await service.history(request)
            return { ...page, Events: page.Events.map((event) => ({ ...event, EventTimestamp: 0 })) }
          },
        }),
    },
    noticed: /was read as|another history/,
  },
  'an append is acknowledged before it is durable': {
    sabotage: {
      store: (store) =>
        altered(store, {
          append: async (batch) => {
            const durable = store.append(batch)
            if (!batch.items.every(continues)) return durable
            // Nobody waits for it, so nobody hears of its failure.
            durable.catch(() => {})
            return batch.items.map((item) => ({ ok: true, key: keyOf(item) as ExecutionKey }))
          },
        }),
    },
    noticed: /is not in the journal/,
  },
  'a crash leaves journal entries without their index rows': {
    scenario: 'crowd',
    sabotage: {
      tear: (batch) => ({
        ...batch,
        items: batch.items.map((item) => (continues(item) ? { ...item, index: undefined } : item)),
      }),
    },
    noticed: /index row/,
  },
  'a crash leaves journal entries without their duties': {
    scenario: 'crowd',
    sabotage: { tear: (batch) => ({ ...batch, items: batch.items.map((item) => ({ ...item, outbox: [] })) }) },
    noticed: /owes .*, posts/,
  },
  'a crash leaves half of a transaction': {
    scenario: 'crowd',
    sabotage: { tear: (batch) => ({ ...batch, items: batch.items.slice(0, Math.ceil(batch.items.length / 2)) }) },
    noticed: /half of a batch/,
  },
  'a start is acknowledged and dropped': {
    sabotage: { store: forgetful((item) => !continues(item)) },
    noticed: /P7: .* is not in the journal/,
  },
  'an invocation is given up while its process runs': {
    sabotage: {
      functions: (functions) =>
        altered(functions, {
          reserve: async (version, tenantId, signal) => {
            const slot = await functions.reserve(version, tenantId, signal)
            return altered(slot, {
              run: async (request) => {
                if (request.executionArn === undefined) return slot.run(request)
                void slot.run(request)
                return { kind: 'platform', error: NO_PROCESS, logTail: '' }
              },
            })
          },
        }),
    },
    noticed: /P2: .* (while .* runs|which runs)/,
  },
  'timers ring three seconds late': {
    sabotage: { timers: (timers) => ({ at: (dueMs, call) => timers.at(dueMs + 3_000, call) }) },
    noticed: /P4: .* a timer fired \d+ ms late/,
  },
  'a timer of more than 24 days is forgotten': {
    scenario: 'months',
    sabotage: shortTimers(),
    noticed: /overdue|come to rest|does not end|outlives/,
  },
  'a finished execution is shown with another result': {
    sabotage: {
      service: (service) =>
        altered(service, {
          describe: async (request) => {
            const description = await service.describe(request)
            return description.Status === 'SUCCEEDED' ? { ...description, Result: 'another' } : description
          },
        }),
    },
    noticed: /P5: .* is shown as/,
  },
  'a deletion is acknowledged and forgotten': {
    sabotage: {
      service: (service) =>
        altered(service, { delete: () => Promise.resolve({ DeletionRequestTimestamp: 1_764_547_200_000 }) }),
    },
    noticed: /its deletion at \d+ is not in the journal/,
  },
  'what was deleted stays': {
    sabotage: { store: (store) => altered(store, { purge: () => Promise.resolve() }) },
    noticed: /was deleted and is still there|outlives its retention/,
  },
  'retention ends too early': {
    scenario: 'months',
    sabotage: {
      store: (store) =>
        altered(store, {
          listExpired: ({ nowMs, limit }) => store.listExpired({ nowMs: nowMs + DAY_MS / 2, limit }),
        }),
    },
    noticed: /P5: .* was removed before its time/,
  },
  'recovery overlooks an execution': {
    sabotage: {
      store: (store) => altered(store, { listOpen: async (query) => (await store.listOpen(query)).slice(1) }),
    },
    noticed: /overdue|come to rest/,
  },
  'recovery overlooks the duties': {
    sabotage: { store: (store) => altered(store, { listOutbox: () => Promise.resolve([]) }) },
    noticed: /come to rest/,
  },
}

/** Answers with what the operations will be, as a service would that does not wait for its store. */
function answeredEarly(service: DurableService): DurableService['checkpoint'] {
  return async (request) => {
    const answer = service.checkpoint(request)
    const early = new Promise<undefined>((resolve) => process.nextTick(resolve, undefined))
    return (
      (await Promise.race([answer, early])) ?? { CheckpointToken: request.token, NewExecutionState: { Operations: [] } }
    )
  }
}

/** Timers as the platform's own would be, without anybody who sets a long one again. */
function shortTimers(): Sabotage {
  let shown: Clock = { now: () => 0 }
  return {
    clock: (clock) => {
      shown = clock
      return clock
    },
    timers: (timers) => ({
      at: (dueMs, call) => (dueMs - shown.now() > SHORT_TIMER_MS ? () => {} : timers.at(dueMs, call)),
    }),
  }
}

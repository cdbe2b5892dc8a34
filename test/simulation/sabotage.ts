/**
 * Deliberate defects of the service and its store, one for each promise that the simulation watches over. Each must
 * be noticed within a few seeds: a check that nothing can fail checks nothing.
 */
import type { AppendBatch, AppendItem, AppendResult, Store } from '../../src/journal/store.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableService } from '../../src/service/api.ts'
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

/** What the defect is, and what the simulation should say about it. */
export const DEFECTS: Readonly<Record<string, { sabotage: Sabotage; noticed: RegExp }>> = {
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
    noticed: /begins at event|cannot be folded/,
  },
  'a duty is not stored with its entry': {
    sabotage: {
      store: brokenAppend((batch) => ({
        batch: { ...batch, items: batch.items.map((item) => ({ ...item, outbox: [] })) },
      })),
    },
    noticed: /owes .*, posts/,
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
    noticed: /overdue|come to rest|does not end|outlives/,
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

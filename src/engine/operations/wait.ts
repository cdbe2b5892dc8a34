/** WAIT (spec 04 §4.10): a timer. ∅ ─START→ STARTED ─timer→ SUCCEEDED | ─CANCEL→ CANCELLED */
import { created, identity, identityOf, type OperationModule, refuse } from './operation.ts'

export const wait: OperationModule = {
  decide(current, update) {
    if (update.Action === 'START') {
      if (current !== undefined) return refuse('Cannot start a WAIT that already exist.')
      const durationSeconds = update.WaitOptions?.WaitSeconds
      if (durationSeconds === undefined) return refuse('Update for WAIT operation requires WaitOptions.')
      return [{ type: 'WaitStarted', ...identity(current, update), durationSeconds }]
    }
    if (current?.status !== 'STARTED') {
      return refuse('Cannot cancel a WAIT that does not exist or has already completed.')
    }
    const error = update.Error === undefined ? undefined : { error: update.Error }
    return [{ type: 'WaitCancelled', ...identity(current, update), ...error }]
  },

  fold(current, event, fold) {
    const before = current ?? created('WAIT', event, fold)
    if (event.type === 'WaitStarted') {
      const durationSeconds = event.durationSeconds ?? 0
      return { ...before, durationSeconds, scheduledEndAt: fold.at + durationSeconds * 1000 }
    }
    const status = event.type === 'WaitSucceeded' ? 'SUCCEEDED' : 'CANCELLED'
    return { ...before, status, endedAt: fold.at, error: event.error }
  },

  pending: ({ status }) => status === 'STARTED',
  dueAt: ({ scheduledEndAt }) => scheduledEndAt ?? Number.POSITIVE_INFINITY,
  fire: (operation) => ({
    type: 'WaitSucceeded',
    ...identityOf(operation),
    durationSeconds: operation.durationSeconds ?? 0,
  }),

  details: ({ scheduledEndAt }) => ({
    WaitDetails: scheduledEndAt === undefined ? {} : { ScheduledEndTimestamp: scheduledEndAt },
  }),
}

/**
 * The pure core. `decide` says what a command means for an execution: the one entry that the journal gets, and what
 * the caller is told; or the error, and then nothing has changed. It reads the state and never touches it; the same
 * state, command and facts give the same decision on every machine (invariant I8).
 */
import type { Limits } from '../protocol/limits.ts'
import { checkpoint } from './checkpoint.ts'
import { completeCallback, completeInvoke, heartbeatCallback } from './completions.ts'
import { abandon, endInvocation, startInvocation } from './invocation.ts'
import { requestDeletion, stop, wake } from './lifecycle.ts'
import type { Command, Decision, ExecutionState, Facts } from './model.ts'

export { begin } from './lifecycle.ts'

export function decide(state: ExecutionState, command: Command, facts: Facts, limits: Limits): Decision {
  switch (command.kind) {
    case 'checkpoint':
      return checkpoint(state, command, facts, limits)
    case 'startInvocation':
      return startInvocation(state, command, facts)
    case 'endInvocation':
      return endInvocation(state, command, facts, limits)
    case 'completeCallback':
      return completeCallback(state, command, facts)
    case 'heartbeatCallback':
      return heartbeatCallback(state, command, facts)
    case 'completeInvoke':
      return completeInvoke(state, command, facts)
    case 'wake':
      return wake(state, facts.now)
    case 'stop':
      return stop(state, command.error, facts.now)
    case 'abandon':
      return abandon(state, command.error, facts.now)
    case 'delete':
      return requestDeletion(state, facts.now)
  }
}

/** The one table of operation types: their modules, their actions (spec 04 §4.5), and which events are theirs. */
import type { EventType, OperationAction, OperationType } from '../../protocol/shapes.ts'
import { callback } from './callback.ts'
import { chainedInvoke } from './chained-invoke.ts'
import { context } from './context.ts'
import { execution } from './execution.ts'
import type { OperationModule } from './operation.ts'
import { step } from './step.ts'
import { wait } from './wait.ts'

export const MODULES: Readonly<Record<OperationType, OperationModule>> = {
  EXECUTION: execution,
  CONTEXT: context,
  STEP: step,
  WAIT: wait,
  CALLBACK: callback,
  CHAINED_INVOKE: chainedInvoke,
}

export const ACTIONS: Readonly<Record<OperationType, readonly OperationAction[]>> = {
  EXECUTION: ['SUCCEED', 'FAIL'],
  CONTEXT: ['START', 'SUCCEED', 'FAIL'],
  STEP: ['START', 'SUCCEED', 'FAIL', 'RETRY'],
  WAIT: ['START', 'CANCEL'],
  CALLBACK: ['START'],
  CHAINED_INVOKE: ['START'],
}

/** The operation type that an event belongs to; undefined for InvocationCompleted. */
export const TYPE_OF_EVENT: Readonly<Record<EventType, OperationType | undefined>> = {
  ExecutionStarted: 'EXECUTION',
  ExecutionSucceeded: 'EXECUTION',
  ExecutionFailed: 'EXECUTION',
  ExecutionTimedOut: 'EXECUTION',
  ExecutionStopped: 'EXECUTION',
  ContextStarted: 'CONTEXT',
  ContextSucceeded: 'CONTEXT',
  ContextFailed: 'CONTEXT',
  WaitStarted: 'WAIT',
  WaitSucceeded: 'WAIT',
  WaitCancelled: 'WAIT',
  StepStarted: 'STEP',
  StepSucceeded: 'STEP',
  StepFailed: 'STEP',
  ChainedInvokeStarted: 'CHAINED_INVOKE',
  ChainedInvokeSucceeded: 'CHAINED_INVOKE',
  ChainedInvokeFailed: 'CHAINED_INVOKE',
  ChainedInvokeTimedOut: 'CHAINED_INVOKE',
  ChainedInvokeStopped: 'CHAINED_INVOKE',
  CallbackStarted: 'CALLBACK',
  CallbackSucceeded: 'CALLBACK',
  CallbackFailed: 'CALLBACK',
  CallbackTimedOut: 'CALLBACK',
  InvocationCompleted: undefined,
}

/**
 * One execution as a tree of what it did, folded from its history (spec 11). Pure: the same events give the same tree.
 * The tree knows nothing of terminals; `tree-lines.ts` draws it.
 */
import type { ErrorObject, EventType, HistoryEvent } from '../../client/responses.ts'
import type { ExecutionStatus } from '../../protocol/shapes.ts'
import { detailsOf, type EventDetails } from './event-details.ts'

export type NodeKind = 'context' | 'step' | 'wait' | 'callback' | 'invoke'

/**
 * `running`: its code runs, or would if its invocation had not ended. `waiting`: something outside the function moves it.
 * `retrying`: an attempt has ended and the next is due at `dueAt`.
 */
export type NodeStatus =
  | 'running'
  | 'waiting'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'timedOut'
  | 'stopped'

export interface TreeNode {
  readonly id: string
  readonly kind: NodeKind
  readonly name: string | undefined
  readonly subType: string | undefined
  readonly startedAt: number
  status: NodeStatus
  endedAt: number | undefined
  /** Number of the attempt that runs or ran last; 0 where attempts are not counted. */
  attempt: number
  /** Attempts that failed and were tried again, oldest first. */
  readonly failedAttempts: { readonly attempt: number; readonly error: ErrorObject }[]
  /** Invocations that ended in failure while this ran. */
  interruptions: number
  /** When a wait ends, the next attempt begins, or a callback times out. */
  dueAt: number | undefined
  callbackId: string | undefined
  /** Function that a chained invoke calls, and the execution it started. */
  functionName: string | undefined
  childArn: string | undefined
  result: string | undefined
  error: ErrorObject | undefined
  readonly children: TreeNode[]
}

export interface ExecutionTree {
  readonly name: string | undefined
  status: ExecutionStatus
  startedAt: number
  endedAt: number | undefined
  result: string | undefined
  error: ErrorObject | undefined
  /** Invocations that have ended, and how many of them failed. */
  invocations: number
  failedInvocations: number
  /** Time of the newest event. */
  lastEventAt: number
  readonly roots: TreeNode[]
}

const started: Partial<Record<EventType, { readonly kind: NodeKind; readonly status: NodeStatus }>> = {
  ContextStarted: { kind: 'context', status: 'running' },
  StepStarted: { kind: 'step', status: 'running' },
  WaitStarted: { kind: 'wait', status: 'waiting' },
  CallbackStarted: { kind: 'callback', status: 'waiting' },
  ChainedInvokeStarted: { kind: 'invoke', status: 'waiting' },
}

const ended: Partial<Record<EventType, { readonly kind: NodeKind; readonly status: NodeStatus }>> = {
  ContextSucceeded: { kind: 'context', status: 'succeeded' },
  ContextFailed: { kind: 'context', status: 'failed' },
  StepSucceeded: { kind: 'step', status: 'succeeded' },
  StepFailed: { kind: 'step', status: 'failed' },
  WaitSucceeded: { kind: 'wait', status: 'succeeded' },
  WaitCancelled: { kind: 'wait', status: 'cancelled' },
  CallbackSucceeded: { kind: 'callback', status: 'succeeded' },
  CallbackFailed: { kind: 'callback', status: 'failed' },
  CallbackTimedOut: { kind: 'callback', status: 'timedOut' },
  ChainedInvokeSucceeded: { kind: 'invoke', status: 'succeeded' },
  ChainedInvokeFailed: { kind: 'invoke', status: 'failed' },
  ChainedInvokeTimedOut: { kind: 'invoke', status: 'timedOut' },
  ChainedInvokeStopped: { kind: 'invoke', status: 'stopped' },
}

const closing: Partial<Record<EventType, ExecutionStatus>> = {
  ExecutionSucceeded: 'SUCCEEDED',
  ExecutionFailed: 'FAILED',
  ExecutionTimedOut: 'TIMED_OUT',
  ExecutionStopped: 'STOPPED',
}

/** The tree that the events tell of. They must begin with the first; undefined when there are none. */
export function executionTree(events: readonly HistoryEvent[]): ExecutionTree | undefined {
  const first = events[0]
  if (first === undefined) return undefined
  const tree: ExecutionTree = {
    name: first.name,
    status: 'RUNNING',
    startedAt: first.eventTimestamp,
    endedAt: undefined,
    result: undefined,
    error: undefined,
    invocations: 0,
    failedInvocations: 0,
    lastEventAt: first.eventTimestamp,
    roots: [],
  }
  const nodes = new Map<string, TreeNode>()
  for (const event of events) fold(tree, nodes, event)
  return tree
}

function fold(tree: ExecutionTree, nodes: Map<string, TreeNode>, event: HistoryEvent): void {
  const details = detailsOf(event)
  tree.lastEventAt = event.eventTimestamp
  const status = closing[event.eventType]
  if (status !== undefined) {
    tree.status = status
    tree.endedAt = event.eventTimestamp
    tree.result = details.result?.payload
    tree.error = details.error?.payload
    return
  }
  if (event.eventType === 'InvocationCompleted') {
    tree.invocations += 1
    if (details.error === undefined) return
    tree.failedInvocations += 1
    for (const node of nodes.values()) if (node.kind === 'step' && node.status === 'running') node.interruptions += 1
    return
  }
  const start = started[event.eventType]
  const phase = start ?? ended[event.eventType]
  if (phase === undefined) return
  const node = nodeFor(tree, nodes, event, phase.kind)
  if (start !== undefined) begin(node, phase.status, event, details)
  else finish(node, phase.status, event, details)
}

/** The event's operation; made now when this is its first event (some operations close without a start, spec 04 §4.8). */
function nodeFor(tree: ExecutionTree, nodes: Map<string, TreeNode>, event: HistoryEvent, kind: NodeKind): TreeNode {
  const id = event.id ?? `event ${event.eventId}`
  const known = nodes.get(id)
  if (known !== undefined) return known
  const node: TreeNode = {
    id,
    kind,
    name: event.name,
    subType: event.subType,
    startedAt: event.eventTimestamp,
    status: 'running',
    endedAt: undefined,
    attempt: 0,
    failedAttempts: [],
    interruptions: 0,
    dueAt: undefined,
    callbackId: undefined,
    functionName: undefined,
    childArn: undefined,
    result: undefined,
    error: undefined,
    children: [],
  }
  nodes.set(id, node)
  const siblings = event.parentId === undefined ? undefined : nodes.get(event.parentId)?.children
  const list = siblings ?? tree.roots
  list.push(node)
  return node
}

/** Only the callback's own timeout: a heartbeat moves the other one, and heartbeats are no events. */
function timeoutOf(event: HistoryEvent, details: EventDetails): number | undefined {
  return details.timeout ? event.eventTimestamp + details.timeout * 1000 : undefined
}

function begin(node: TreeNode, status: NodeStatus, event: HistoryEvent, details: EventDetails): void {
  node.status = status
  node.dueAt = details.scheduledEndTimestamp ?? timeoutOf(event, details)
  node.callbackId = details.callbackId ?? node.callbackId
  node.functionName = details.functionName ?? node.functionName
  node.childArn = details.durableExecutionArn ?? node.childArn
  if (node.kind === 'step') node.attempt += 1
}

function finish(node: TreeNode, status: NodeStatus, event: HistoryEvent, details: EventDetails): void {
  const error = details.error?.payload
  const retry = details.retryDetails
  if (retry?.currentAttempt !== undefined) node.attempt = retry.currentAttempt
  if (retry?.nextAttemptDelaySeconds !== undefined) {
    if (error !== undefined) node.failedAttempts.push({ attempt: node.attempt, error })
    node.status = 'retrying'
    node.dueAt = event.eventTimestamp + retry.nextAttemptDelaySeconds * 1000
    return
  }
  node.status = status
  node.endedAt = event.eventTimestamp
  node.dueAt = undefined
  node.result = details.result?.payload
  node.error = error
}

/** Every node, depth first. */
export function* allNodes(roots: readonly TreeNode[]): Generator<TreeNode> {
  for (const node of roots) {
    yield node
    yield* allNodes(node.children)
  }
}

/** `Type: message`, as far as an error has them. */
export function errorText(error: ErrorObject): string {
  const text = [error.errorType, error.errorMessage].filter((part) => part !== undefined && part !== '').join(': ')
  return text === '' ? 'error without a message' : text
}

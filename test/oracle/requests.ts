/** A command as an HTTP request (spec 01, 02 §2.1), with the oracle's names where the server's values go. */
import type { Command } from './commands.ts'
import { arnOf, callbackIdOf, type Execution } from './model/execution.ts'
import type { World } from './model/world.ts'

export interface SymbolicRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Segments are percent-encoded when they are known. */
  readonly segments: readonly string[]
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown
  /** The list whose pages are read to the end, with that many elements each. */
  readonly paged?: { readonly list: 'Events' | 'Operations' | 'DurableExecutions'; readonly maxItems: number }
}

const EXECUTIONS = ['2025-12-01', 'durable-executions']

/** Undefined when the command is not a request, or about an execution that there is not. */
export function requestOf(command: Command, world: World): SymbolicRequest | undefined {
  if (command.do === 'invoke') {
    const { functionName, name, mode, input } = command
    return {
      method: 'POST',
      segments: ['2015-03-31', 'functions', functionName, 'invocations'],
      headers: {
        'x-amz-invocation-type': mode,
        ...(name === undefined ? {} : { 'x-amz-durable-execution-name': name }),
      },
      body: input,
    }
  }
  if (command.do === 'list') {
    const { functionName, status, name, reverse, maxItems } = command
    return {
      method: 'GET',
      segments: ['2025-12-01', 'functions', functionName, 'durable-executions'],
      query: {
        ReverseOrder: String(reverse),
        // What other sequences have left on the server began earlier.
        StartedAfter: '«time before»',
        ...(status === undefined ? {} : { Statuses: status }),
        ...(name === undefined ? {} : { DurableExecutionName: name }),
      },
      paged: { list: 'DurableExecutions', maxItems },
    }
  }
  if (command.do === 'advance' || command.do === 'end' || command.do === 'end target') return undefined
  const execution = world.executions.get(command.on)
  return execution === undefined ? undefined : aboutExecution(command, execution, world)
}

function aboutExecution(
  command: Exclude<Command, { do: 'invoke' | 'list' | 'advance' | 'end' | 'end target' }>,
  execution: Execution,
  world: World,
): SymbolicRequest {
  const one = [...EXECUTIONS, arnOf(execution)]
  switch (command.do) {
    case 'checkpoint':
      return {
        method: 'POST',
        segments: [...one, 'checkpoint'],
        body: {
          CheckpointToken: world.tokenFor(execution, command.token),
          ClientToken: command.clientToken,
          Updates: command.updates,
        },
      }
    case 'state':
      return {
        method: 'GET',
        segments: [...one, 'state'],
        query: { CheckpointToken: world.tokenFor(execution, command.token) },
        paged: { list: 'Operations', maxItems: command.maxItems ?? 1000 },
      }
    case 'get':
      return { method: 'GET', segments: one, query: { IncludeExecutionData: String(command.data) } }
    case 'history':
      return {
        method: 'GET',
        segments: [...one, 'history'],
        query: { IncludeExecutionData: String(command.data), ReverseOrder: String(command.reverse) },
        paged: { list: 'Events', maxItems: command.maxItems },
      }
    case 'stop':
      return { method: 'POST', segments: [...one, 'stop'], body: command.error ?? {} }
    case 'delete':
      return { method: 'DELETE', segments: one }
    case 'callback': {
      const id = {
        real: callbackIdOf(execution.key, command.operation),
        forged: '«forged callback»',
        misshapen: 'bm9uZQ==',
      }
      const text = command.body === undefined ? {} : { body: command.body }
      return {
        method: 'POST',
        segments: ['2025-12-01', 'durable-execution-callbacks', id[command.id], command.verb],
        ...text,
      }
    }
  }
}

/** What a sequence is made of: plain data, so that it can be printed, shortened and played again. */
import type { ErrorObject } from './model/execution.ts'
import type { Update } from './model/shape.ts'

/** Which token a request carries: how many were issued after it (0: the newest), or one that is none of the execution's. */
export type TokenChoice = number | 'foreign' | 'random' | 'misshapen'

/** How a handler's invocation ends. */
export type Ending =
  | { readonly output: unknown }
  | { readonly throws: { readonly name: string; readonly message: string } }
  | { readonly exits: number }

/** Executions go by the key that their start gives them; a chained execution by its parent's key, `/` and operation id. */
export type Command =
  | {
      readonly do: 'invoke'
      readonly as: string
      readonly functionName: string
      readonly name?: string
      readonly mode: 'Event' | 'RequestResponse' | 'DryRun'
      readonly input: string
    }
  | {
      readonly do: 'checkpoint'
      readonly on: string
      readonly token: TokenChoice
      readonly clientToken?: string
      readonly updates: readonly Update[]
    }
  | { readonly do: 'state'; readonly on: string; readonly token: TokenChoice; readonly maxItems?: number }
  | { readonly do: 'get'; readonly on: string; readonly data: boolean }
  | {
      readonly do: 'history'
      readonly on: string
      readonly maxItems: number
      readonly reverse: boolean
      readonly data: boolean
    }
  | {
      readonly do: 'list'
      readonly functionName: string
      readonly status?: string
      readonly name?: string
      readonly reverse: boolean
      readonly maxItems: number
    }
  | { readonly do: 'stop'; readonly on: string; readonly error?: ErrorObject }
  | { readonly do: 'delete'; readonly on: string }
  | {
      readonly do: 'callback'
      readonly on: string
      readonly operation: string
      /** `forged`: of the right form, with a wrong secret. */
      readonly id: 'real' | 'forged' | 'misshapen'
      readonly verb: 'succeed' | 'fail' | 'heartbeat'
      readonly body?: string
    }
  /** The function ends the invocation that it holds. */
  | { readonly do: 'end'; readonly on: string; readonly how: Ending }
  /** A plain target of a chained invoke ends. */
  | { readonly do: 'end target'; readonly on: string; readonly how: Ending }
  | { readonly do: 'advance'; readonly ms: number }

/** One line for a person. */
export function inWords(command: Command): string {
  const { do: verb, ...rest } = command
  const members = Object.entries(rest).map(([name, value]) => `${name}=${shortly(JSON.stringify(value))}`)
  return `${verb.padEnd(11)}${members.join(' ')}`
}

const shortly = (text: string): string => text.replaceAll(/x{40,}/g, (run) => `x…(${run.length})`)

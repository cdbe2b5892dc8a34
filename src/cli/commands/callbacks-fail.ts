/** `perdure callbacks fail`: completes a callback with an error. */
import type { ErrorObject } from '../../client/responses.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand, type OptionSpecs } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printOne } from '../output.ts'

/** Options that make an ErrorObject; shared with `executions stop`. */
export const ERROR_OPTIONS = {
  type: { type: 'string', value: '<type>', help: 'ErrorType, for example RejectedError' },
  message: { type: 'string', short: 'm', value: '<text>', help: 'ErrorMessage' },
  data: { type: 'string', value: '<text>', help: 'ErrorData' },
} as const satisfies OptionSpecs

export function errorFrom(values: {
  readonly type: string | undefined
  readonly message: string | undefined
  readonly data: string | undefined
}): ErrorObject {
  return {
    ...(values.type !== undefined && { errorType: values.type }),
    ...(values.message !== undefined && { errorMessage: values.message }),
    ...(values.data !== undefined && { errorData: values.data }),
  }
}

export const callbacksFail = defineCommand({
  name: 'callbacks fail',
  summary: 'Complete a callback with an error',
  operands: '<callback id>',
  operandCount: [1, 1],
  options: { ...ERROR_OPTIONS, ...CLIENT_OPTIONS },
  examples: [`perdure callbacks fail <callback id> --type RejectedError --message 'not approved'`],
  async run({ values, operands, terminal, env }) {
    const client = clientFor(values, env)
    await client.sendDurableExecutionCallbackFailure({ callbackId: operands[0] ?? '', error: errorFrom(values) })
    client.close()
    printOne(terminal, values, {}, () => 'callback failed')
    return EXIT.ok
  },
})

/** `perdure invoke`: calls a function, waits for its result unless told otherwise, and prints it. */
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { quoted } from '../execution-reference.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { forPrograms } from '../json.ts'
import { formatOf } from '../output.ts'
import { readJson } from '../payload.ts'

export const invoke = defineCommand({
  name: 'invoke',
  summary: 'Call a function, durable or plain',
  operands: '<function>',
  operandCount: [1, 1],
  options: {
    payload: {
      type: 'string',
      short: 'p',
      value: '<json|@file|@->',
      help: 'Input as JSON, from a file, or from standard input',
    },
    event: { type: 'boolean', short: 'e', help: 'Do not wait: print the execution and return' },
    name: {
      type: 'string',
      short: 'n',
      value: '<name>',
      help: 'Name of the execution; the same name and payload never run twice',
    },
    qualifier: { type: 'string', short: 'q', value: '<version>', help: 'Version to call (default $LATEST)' },
    tenant: { type: 'string', value: '<id>', help: 'Tenant, for functions declared with tenancy' },
    ...CLIENT_OPTIONS,
  },
  notes: [
    'The result goes to standard output, everything else to standard error. Exit code 1 when the function failed.',
  ],
  examples: [
    `perdure invoke hello --payload '{"name": "Ada"}'`,
    'perdure invoke order --payload @order.json --name order-1001 --event',
  ],
  async run({ values, operands, terminal, env, cwd, readStdin, stopSignal }) {
    const client = clientFor(values, env)
    const functionName = operands[0] ?? ''
    const qualifier = values.qualifier ?? (hasQualifier(functionName) ? undefined : '$LATEST')
    const payload =
      values.payload === undefined ? undefined : await readJson('payload', values.payload, { cwd, readStdin })
    const stop = stopSignal()
    const answer = await client
      .invoke(
        {
          functionName,
          qualifier,
          payload,
          durableExecutionName: values.name,
          tenantId: values.tenant,
          invocationType: values.event === true ? 'Event' : 'RequestResponse',
        },
        { signal: stop },
      )
      .catch((error: unknown) => {
        throw stop.aborted ? stoppedWaiting() : error
      })
    const format = formatOf(values)
    if (format !== 'table') {
      terminal.out(forPrograms(answer, format === 'json' ? 2 : 0))
    } else {
      if (answer.durableExecutionArn !== undefined) terminal.err(`execution ${quoted(answer.durableExecutionArn)}`)
      if (answer.functionError !== undefined) terminal.err(terminal.paintErr('red', 'the function failed:'))
      if (answer.payload !== '') terminal.out(answer.payload)
    }
    client.close()
    return answer.functionError === undefined ? EXIT.ok : EXIT.failed
  },
})

const stoppedWaiting = (): CliFailure =>
  new CliFailure(
    { cause: 'stopped waiting', consequence: 'an execution that has started goes on without you' },
    EXIT.interrupted,
  )

/** `orders:prod` and `arn:…:function:orders:3` name a version already; `orders` and a bare ARN do not. */
function hasQualifier(reference: string): boolean {
  const afterFunction = reference.includes('function:') ? reference.split('function:')[1] : reference
  return (afterFunction ?? '').includes(':')
}

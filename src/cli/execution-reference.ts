/**
 * How people name an execution on the command line: its ARN, `<function>/<execution name>`, or the execution's name
 * alone, which is then looked for in every function.
 */
import type { PerdureClient } from '../client/client.ts'
import { ResourceNotFoundException } from '../client/errors.ts'
import { parseExecutionArn } from '../protocol/arn.ts'
import { collect } from './collect.ts'
import { CliFailure, usageFailure } from './failure.ts'

export const EXECUTION_OPERAND = '<execution>'
export const EXECUTION_NOTE =
  '<execution> is an ARN (in single quotes, for the shell would replace $LATEST), <function>/<name>, or a name.'

export async function resolveExecution(client: PerdureClient, reference: string): Promise<string> {
  if (reference.startsWith('arn:')) return checkArn(reference)
  const slash = reference.indexOf('/')
  const functions = slash === -1 ? await functionNames(client) : [reference.slice(0, slash)]
  const name = reference.slice(slash + 1)
  const found = (await Promise.all(functions.map((functionName) => byName(client, functionName, name)))).flat()
  const [arn] = found
  if (arn === undefined) {
    throw new CliFailure({
      cause: `there is no execution "${reference}"`,
      fix: '"perdure executions list" shows what there is',
    })
  }
  if (found.length > 1) {
    throw usageFailure(
      `"${reference}" names ${found.length} executions of different functions`,
      `say which: ${found.map((each) => `${parseExecutionArn(each)?.functionName}/${name}`).join(', ')}`,
    )
  }
  return arn
}

function checkArn(reference: string): string {
  if (parseExecutionArn(reference) !== undefined) return reference
  throw usageFailure(
    `"${reference}" is not the ARN of an execution`,
    reference.includes(':/')
      ? 'the shell replaced $LATEST by nothing: put the ARN in single quotes'
      : 'it looks like arn:aws:lambda:<region>:<account>:function:<function>:<version>/durable-execution/<name>/<id>',
  )
}

async function byName(client: PerdureClient, functionName: string, name: string): Promise<readonly string[]> {
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(name)) return []
  try {
    const page = await client.listDurableExecutionsByFunction({ functionName, durableExecutionName: name, maxItems: 1 })
    return page.durableExecutions.map(({ durableExecutionArn }) => durableExecutionArn)
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return []
    throw error
  }
}

/** The names of every function that the server has. */
export async function functionNames(client: PerdureClient): Promise<readonly string[]> {
  const functions = await collect(client.functions())
  return functions.map(({ functionName }) => functionName)
}

/** An ARN as it can be pasted into a shell. */
export const quoted = (arn: string): string => `'${arn}'`

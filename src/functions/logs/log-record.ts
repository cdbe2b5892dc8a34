/** Records as lines of a file, and whether one is meant. */
import { type Fields, jsonObject } from '../../protocol/logs/log-line.ts'
import { defaultLogGroup, type LoggedRecord, type LogRecord, type LogSelection } from '../../service/ports.ts'

/** The position first: it is read without the rest when a place in a file is looked for. */
export const lineOf = (record: LogRecord, position: number): string => `${JSON.stringify({ position, ...record })}\n`

/** Of the beginning of a line; undefined when the line has none. */
export function positionIn(line: Buffer): number | undefined {
  const digits = /^\{"position":(\d{1,16}),/.exec(line.toString('latin1', 0, 40))?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Undefined for what is no record: a line that broke off when the power did. */
export function recordIn(line: Buffer): LoggedRecord | undefined {
  try {
    const record = JSON.parse(line.toString('utf8')) as LoggedRecord
    return typeof record.position === 'number' && typeof record.line === 'string' ? record : undefined
  } catch {
    return undefined
  }
}

/** Texts that every line of a record that is meant contains: most others need not be parsed. */
export function needlesOf({ executionArns, requestId }: LogSelection): readonly string[] {
  const arns = executionArns?.size === 1 ? [...executionArns] : []
  return requestId === undefined ? arns : [...arns, requestId]
}

export function isMeant(record: LoggedRecord, selection: LogSelection): boolean {
  const { functionNames, executionArns, requestId, group, sinceMs, where } = selection
  if (functionNames !== undefined && !functionNames.has(record.functionName)) return false
  if (group !== undefined && groupOf(record) !== group) return false
  if (sinceMs !== undefined && record.at < sinceMs) return false
  if (executionArns !== undefined && !executionsOf(record).some((arn) => executionArns.has(arn))) return false
  if (requestId !== undefined && requestOf(record) !== requestId) return false
  return where === undefined || where(record)
}

export const groupOf = ({ group, functionName }: LogRecord): string => group ?? defaultLogGroup(functionName)

/** A line that was printed outside of invocations may tell itself what it belongs to. */
function executionsOf(record: LoggedRecord): readonly string[] {
  if (record.executionArn !== undefined) return [record.executionArn]
  const fields = jsonObject(record.line)
  return [fields?.['executionArn'], fields?.['durableExecutionArn']].filter((arn) => typeof arn === 'string')
}

function requestOf(record: LoggedRecord): unknown {
  const fields: Fields | undefined = record.requestId === undefined ? jsonObject(record.line) : undefined
  return record.requestId ?? fields?.['requestId']
}

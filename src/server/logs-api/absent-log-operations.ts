/** Operations of CloudWatch Logs that tools try and that make no sense here: they are told why. */
import { LogsApiError } from '../../protocol/logs/log-errors.ts'

const FUNCTIONS_WRITE =
  'Log groups and streams are made by the functions that write to them, and take events of nobody else.'
const SERVER_KEEPS =
  'How long logs are kept is one setting of the server for all of them ("functionLogs" of its configuration).'
const NO_QUERIES = 'This server answers no queries: use FilterLogEvents.'

const REASONS: Readonly<Record<string, string>> = {
  CreateLogStream: FUNCTIONS_WRITE,
  DeleteLogStream: FUNCTIONS_WRITE,
  PutLogEvents: FUNCTIONS_WRITE,
  DeleteLogGroup: SERVER_KEEPS,
  DeleteRetentionPolicy: SERVER_KEEPS,
  PutRetentionPolicy: SERVER_KEEPS,
  GetQueryResults: NO_QUERIES,
  StartQuery: NO_QUERIES,
  StopQuery: NO_QUERIES,
  StartLiveTail: 'This server has no live tail: ask FilterLogEvents again and again, as "aws logs tail --follow" does.',
  PutMetricFilter: 'This server counts no lines.',
  PutSubscriptionFilter: 'This server sends log events to nobody.',
  TagLogGroup: 'Log groups have no tags here.',
  TagResource: 'Log groups have no tags here.',
  UntagLogGroup: 'Log groups have no tags here.',
  UntagResource: 'Log groups have no tags here.',
}

export function absentLogOperation(name: string): LogsApiError {
  const reason = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined
  if (reason !== undefined) return new LogsApiError('InvalidParameterException', reason)
  return new LogsApiError('UnknownOperationException', `This server does not have the operation ${name.slice(0, 128)}.`)
}

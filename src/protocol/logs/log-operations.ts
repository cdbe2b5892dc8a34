/**
 * The calls of CloudWatch Logs that are answered: `POST /` with the operation in `X-Amz-Target` and the input as JSON
 * (the protocol AWS JSON 1.1, which all clients of that service speak). A table of its own, for nothing of the input
 * lies in the path, the query or the headers.
 */
import {
  BOOLEAN,
  integer,
  list,
  type MemberTable,
  oneOf,
  structure,
  text,
  UNBOUNDED,
  type ValuesOf,
} from '../constraints.ts'
import { ApiError } from '../errors.ts'
import { readJson } from '../validate.ts'
import { Violations } from '../violations.ts'
import { LogsApiError } from './log-errors.ts'

const GROUP_NAME = text(1, 512, '[\\.\\-_/#A-Za-z0-9]+')
const GROUP_IDENTIFIER = text(1, 2048, '[\\w#+=/:,.@-]*')
const STREAM_NAME = text(1, 512, '[^:*]*')
const NEXT_TOKEN = text(1, UNBOUNDED)
const TIME = integer(0, Number.MAX_SAFE_INTEGER)
const DESCRIBE_LIMIT = integer(1, 50)
const EVENTS_LIMIT = integer(1, 10_000)

const group = {
  logGroupName: { constraint: GROUP_NAME },
  logGroupIdentifier: { constraint: GROUP_IDENTIFIER },
} as const
const events = {
  ...group,
  startTime: { constraint: TIME },
  endTime: { constraint: TIME },
  nextToken: { constraint: NEXT_TOKEN },
  limit: { constraint: EVENTS_LIMIT },
  startFromHead: { constraint: BOOLEAN },
  unmask: { constraint: BOOLEAN },
} as const

export const LOG_OPERATIONS = {
  DescribeLogGroups: {
    logGroupNamePrefix: { constraint: GROUP_NAME },
    logGroupNamePattern: { constraint: text(0, 512, '[\\.\\-_/#A-Za-z0-9]*') },
    logGroupIdentifiers: { constraint: list(GROUP_IDENTIFIER, 1, 50) },
    logGroupClass: { constraint: oneOf(['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY', 'ESSENTIALS']) },
    accountIdentifiers: { constraint: list(text(12, 12, '\\d{12}'), 0, 20) },
    includeLinkedAccounts: { constraint: BOOLEAN },
    nextToken: { constraint: NEXT_TOKEN },
    limit: { constraint: DESCRIBE_LIMIT },
  },
  DescribeLogStreams: {
    ...group,
    logStreamNamePrefix: { constraint: STREAM_NAME },
    orderBy: { constraint: oneOf(['LogStreamName', 'LastEventTime']) },
    descending: { constraint: BOOLEAN },
    nextToken: { constraint: NEXT_TOKEN },
    limit: { constraint: DESCRIBE_LIMIT },
  },
  FilterLogEvents: {
    ...events,
    logStreamNames: { constraint: list(STREAM_NAME, 1, 100) },
    logStreamNamePrefix: { constraint: STREAM_NAME },
    filterPattern: { constraint: text(0, 1024) },
    interleaved: { constraint: BOOLEAN },
  },
  GetLogEvents: { ...events, logStreamName: { constraint: STREAM_NAME, required: true } },
  ListTagsForResource: { resourceArn: { constraint: text(1, 1011, '[\\w+=/:,.@-]*'), required: true } },
  CreateLogGroup: { logGroupName: { constraint: GROUP_NAME, required: true } },
} as const satisfies Readonly<Record<string, MemberTable>>

export type LogOperation = keyof typeof LOG_OPERATIONS
export type LogInput<Name extends LogOperation> = ValuesOf<(typeof LOG_OPERATIONS)[Name]>

export const isLogOperation = (name: string): name is LogOperation => Object.hasOwn(LOG_OPERATIONS, name)

/** Throws a `LogsApiError`: this service has one error for all that is wrong with members. */
export function readLogInput<Name extends LogOperation>(name: Name, body: unknown): LogInput<Name> {
  const violations = new Violations()
  try {
    const input = readJson(structure(LOG_OPERATIONS[name]), body ?? {}, '', violations)
    violations.throwIfAny()
    return input as LogInput<Name>
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const isSyntax = error.code === 'SerializationException'
    throw new LogsApiError(isSyntax ? 'SerializationException' : 'InvalidParameterException', error.message)
  }
}

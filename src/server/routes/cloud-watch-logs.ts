/**
 * `POST /` with `X-Amz-Target: Logs_20140328.<Operation>`: the calls of CloudWatch Logs that test runners and tools make
 * to read what functions printed.
 */
import { ApiError } from '../../protocol/errors.ts'
import { LOG_ERRORS, LogsApiError } from '../../protocol/logs/log-errors.ts'
import { isLogOperation, type LogInput, type LogOperation, readLogInput } from '../../protocol/logs/log-operations.ts'
import { absentLogOperation } from '../logs-api/absent-log-operations.ts'
import { describeLogGroups } from '../logs-api/describe-log-groups.ts'
import { describeLogStreams } from '../logs-api/describe-log-streams.ts'
import { filterLogEvents } from '../logs-api/filter-log-events.ts'
import { getLogEvents } from '../logs-api/get-log-events.ts'
import { knownGroups } from '../logs-api/log-groups.ts'
import { parseJson } from '../parse.ts'
import type { Reply } from '../reply.ts'
import type { Route, RouteDeps, RouteRequest } from '../route.ts'

const CONTENT_TYPE = 'application/x-amz-json-1.1'
const TARGET = 'Logs_20140328.'
const BODY_BYTES = 1_048_576

export const cloudWatchLogs: Route = {
  name: 'CloudWatchLogs',
  method: 'POST',
  path: '/',
  body: {
    maxBytes: () => BODY_BYTES,
    tooLarge: (bytes) =>
      new ApiError(
        'RequestEntityTooLargeException',
        `Request must be no larger than ${bytes} bytes for this operation`,
      ),
  },
  async handle(request, deps) {
    try {
      const answer = await answerTo(targetOf(request), request, deps)
      return { status: 200, contentType: CONTENT_TYPE, body: JSON.stringify(answer) }
    } catch (error) {
      if (error instanceof LogsApiError) return refusal(error)
      throw error
    }
  },
}

type Handlers = { readonly [Name in LogOperation]: (input: LogInput<Name>, deps: RouteDeps) => Promise<object> }

const HANDLERS: Handlers = {
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  ListTagsForResource: async () => ({ tags: {} }),
  CreateLogGroup: async ({ logGroupName }, deps) => {
    if (knownGroups(deps).has(logGroupName)) {
      throw new LogsApiError('ResourceAlreadyExistsException', 'The specified log group already exists')
    }
    throw absentLogOperation('CreateLogStream')
  },
}

function targetOf({ headers }: RouteRequest): string {
  const target = headers['x-amz-target']
  // Not of the protocol at all: answered like every path that is no operation's.
  if (typeof target !== 'string') throw new ApiError('UnknownOperationException', 'No operation is known for POST /')
  if (target.startsWith(TARGET)) return target.slice(TARGET.length)
  throw new LogsApiError('UnknownOperationException', `This server has no operations of ${target.slice(0, 128)}.`)
}

async function answerTo(name: string, request: RouteRequest, deps: RouteDeps): Promise<object> {
  if (!isLogOperation(name)) throw absentLogOperation(name)
  return await run(name, bodyOf(request), deps)
}

const run = <Name extends LogOperation>(name: Name, body: unknown, deps: RouteDeps): Promise<object> =>
  HANDLERS[name](readLogInput(name, body), deps)

function bodyOf({ body }: RouteRequest): unknown {
  try {
    return parseJson(body)
  } catch (error) {
    if (error instanceof ApiError) throw new LogsApiError('SerializationException', error.message)
    throw error
  }
}

function refusal({ code, message }: LogsApiError): Reply {
  return {
    status: LOG_ERRORS[code],
    contentType: CONTENT_TYPE,
    headers: { 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message }),
  }
}

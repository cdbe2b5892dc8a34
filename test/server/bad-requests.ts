/**
 * Requests that are HTTP and still wrong, each with the answer that the specification gives it: members of the wrong
 * type, size, form or range, tokens, ARNs and callback ids that are nearly right, bodies that are no JSON or too much,
 * and paths that lead nowhere. `bad-wire.ts` holds what is not even HTTP.
 */
import type { ErrorName } from '../../src/protocol/errors.ts'

/** What the requests are about: an open execution whose function waits, and one that has ended. */
export interface Target {
  readonly port: number
  readonly arn: string
  /** Current, and stays so: nothing of this may be accepted. */
  readonly token: string
  /** Consumed before. */
  readonly staleToken: string
  readonly callbackId: string
  readonly otherArn: string
  readonly otherToken: string
  readonly closedArn: string
}

export interface Refusal {
  readonly status: number
  readonly type: ErrorName
  readonly text: string | RegExp
}

export interface BadRequest {
  readonly title: string
  /** Method and target. */
  readonly line: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly refused: Refusal
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

const refusal = (status: number, type: ErrorName, text: string | RegExp): Refusal => ({ status, type, text })
const serialization = (text: string | RegExp): Refusal => refusal(400, 'SerializationException', text)
const invalid = (text: string | RegExp): Refusal => refusal(400, 'InvalidParameterValueException', text)
const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** At least this constraint is told. */
const violates = (path: string, ending: string): Refusal => {
  const told = `at '${quoted(path)}' failed to satisfy constraint: Member must ${quoted(ending)}`
  return refusal(400, 'ValidationException', new RegExp(`^\\d+ validation errors? detected: Value.* ${told}`, 's'))
}
const mustBe = (path: string, type: string, not: string): Refusal =>
  serialization(`${path === '' ? 'The request body' : `The member '${path}'`} must be ${type}, not ${not}.`)

const NOT_JSON = serialization('The request body is not valid JSON.')
const NO_EXECUTION = refusal(404, 'ResourceNotFoundException', 'Durable Execution does not exist')
const BAD_TOKEN = invalid('Invalid checkpoint token')
const FOREIGN_TOKEN = invalid('Checkpoint token is not valid for the durable execution ARN')
const UNKNOWN = refusal(404, 'UnknownOperationException', /^No operation is known for [A-Z]+ /)
const BAD_PERCENT = serialization(/is not validly percent-encoded\.$/)

const API = '/2025-12-01/durable-executions'
const CALLBACKS = '/2025-12-01/durable-execution-callbacks'
const FUNCTIONS = '/2015-03-31/functions'
const label = encodeURIComponent

/** A name for each kind of wrong JSON value, and what the answer calls it. */
const VALUES: readonly (readonly [value: Json, called: string])[] = [
  [7, 'an integer'],
  [1.5, 'a fractional number'],
  ['text', 'a string'],
  [true, 'a boolean'],
  [['x'], 'a list'],
  [{ x: 1 }, 'a structure'],
]
const othersThan = (...called: string[]) => VALUES.filter(([, name]) => !called.includes(name))

export function badRequests(target: Target): readonly BadRequest[] {
  return [
    ...checkpointBodies(target),
    ...checkpointMembers(target),
    ...updates(target),
    ...tokens(target),
    ...arns(target),
    ...queries(target),
    ...invokes(),
    ...callbacks(target),
    ...stops(target),
    ...functions(),
    ...nowhere(target),
  ]
}

const checkpointLine = (arn: string): string => `POST ${API}/${label(arn)}/checkpoint`

function checkpoint(target: Target, title: string, body: Json | Buffer, refused: Refusal): BadRequest {
  const bytes = Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return { title: `checkpoint: ${title}`, line: checkpointLine(target.arn), body: bytes, refused }
}

// --------------------------------------------------------------------------------------------------- checkpoints

function checkpointBodies(target: Target): readonly BadRequest[] {
  const raw = (title: string, text: string | Buffer, refused: Refusal) =>
    checkpoint(target, title, Buffer.from(text), refused)
  const token = JSON.stringify(target.token)
  const missing = violates('checkpointToken', 'not be null')
  return [
    raw('no body', '', missing),
    raw('null', 'null', missing),
    raw('an empty structure', '{}', missing),
    raw('unknown members only', '{"checkpointToken":"YQ==","token":1,"__proto__":{"CheckpointToken":"YQ=="}}', missing),
    raw('an inherited member', '{"__proto__":{"CheckpointToken":"YQ=="}}', missing),
    raw('a list', '[]', mustBe('', 'a structure', 'a list')),
    raw('a string', '"x"', mustBe('', 'a structure', 'a string')),
    raw('a number', '1', mustBe('', 'a structure', 'an integer')),
    raw('a boolean', 'false', mustBe('', 'a structure', 'a boolean')),
    ...[
      ['a lone brace', '{'],
      ['a member without value', '{"CheckpointToken":}'],
      ['a comma at the end', `{"CheckpointToken":${token},}`],
      ['single quotes', "{'CheckpointToken':'YQ=='}"],
      ['names without quotes', '{CheckpointToken:1}'],
      ['two values', `{"CheckpointToken":${token}}{}`],
      ['half a body', `{"CheckpointToken":${token}`],
      ['a comment', `{/**/"CheckpointToken":${token}}`],
      ['NaN', '{"CheckpointToken":NaN}'],
      ['a hexadecimal number', '{"CheckpointToken":0x1F}'],
      ['a number with a leading zero', '{"CheckpointToken":01}'],
      ['a control character in a string', '{"CheckpointToken":"\u0001"}'],
      ['a broken escape', '{"CheckpointToken":"\\x41"}'],
      ['half a unicode escape', '{"CheckpointToken":"\\u12"}'],
      ['a byte order mark', `\ufeff{"CheckpointToken":${token}}`],
      ['NUL bytes', '\0\0\0\0'],
      ['a form', `CheckpointToken=${target.token}`],
      ['XML', '<CheckpointToken/>'],
      ['brackets without end', '['.repeat(100_000)],
      ['structures without end', '{"a":'.repeat(100_000)],
    ].map(([title = '', text = '']) => raw(title, text, NOT_JSON)),
    raw('a token that is nested deeply', `{"CheckpointToken":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, {
      ...mustBe('checkpointToken', 'a string', 'a list'),
    }),
    ...[
      ['a byte that is no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
      ['a surrogate as UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
      ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
      ['half a character', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
      ['UTF-16', Buffer.from('{"CheckpointToken":"ÿ"}', 'utf16le')],
    ].map(([title, bytes]) =>
      raw(title as string, bytes as Buffer, serialization(/^The request body is not valid (UTF-8|JSON)\.$/)),
    ),
    raw(
      'more than eight megabytes',
      Buffer.alloc(8_388_609, 0x20),
      refusal(
        413,
        'RequestEntityTooLargeException',
        'Request must be smaller than 8388608 bytes for the CheckpointDurableExecution operation',
      ),
    ),
  ]
}

function checkpointMembers(target: Target): readonly BadRequest[] {
  const member = (title: string, members: { readonly [name: string]: Json }, refused: Refusal) =>
    checkpoint(target, title, { CheckpointToken: target.token, ...members }, refused)
  return [
    ...othersThan('a string').map(([value, called]) =>
      member(`token is ${called}`, { CheckpointToken: value }, mustBe('checkpointToken', 'a string', called)),
    ),
    ...othersThan('a string').map(([value, called]) =>
      member(`client token is ${called}`, { ClientToken: value }, mustBe('clientToken', 'a string', called)),
    ),
    ...othersThan('a list').map(([value, called]) =>
      member(`updates is ${called}`, { Updates: value }, mustBe('updates', 'a list', called)),
    ),
    ...othersThan('a structure').map(([value, called]) =>
      member(`an update is ${called}`, { Updates: [value] }, mustBe('updates.1.member', 'a structure', called)),
    ),
    member('an update is null', { Updates: [null] }, violates('updates.1.member', 'not be null')),
    member(
      'an empty client token',
      { ClientToken: '' },
      violates('clientToken', 'have length greater than or equal to 1'),
    ),
    member(
      'a long client token',
      { ClientToken: 'a'.repeat(65) },
      violates('clientToken', 'have length less than or equal to 64'),
    ),
    member(
      'a client token with a space',
      { ClientToken: 'a b' },
      violates('clientToken', 'satisfy regular expression pattern: '),
    ),
    member(
      'a client token with a line end',
      { ClientToken: 'a\n' },
      violates('clientToken', 'satisfy regular expression pattern: '),
    ),
    member(
      '10,001 updates',
      { Updates: Array.from({ length: 10_001 }, () => 1) },
      violates('updates', 'have length less than or equal to 10000'),
    ),
  ]
}

function updates(target: Target): readonly BadRequest[] {
  const step = { Id: 's1', Type: 'STEP', Action: 'START' }
  const at = (path: string): string => `updates.1.member.${path}`
  const update = (title: string, members: { readonly [name: string]: Json }, refused: Refusal) =>
    checkpoint(
      target,
      `an update's ${title}`,
      { CheckpointToken: target.token, Updates: [{ ...step, ...members }] },
      refused,
    )
  const texts = ['Id', 'ParentId', 'Name', 'Type', 'SubType', 'Action', 'Payload']
  const structures = [
    'Error',
    'ContextOptions',
    'StepOptions',
    'WaitOptions',
    'CallbackOptions',
    'ChainedInvokeOptions',
  ]
  const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
  const min = (n: number): string => `have length greater than or equal to ${n}`
  const max = (n: number): string => `have length less than or equal to ${n}`
  const pattern = 'satisfy regular expression pattern: '
  const enumerated = 'satisfy enum value set: ['
  return [
    ...texts.flatMap((name) =>
      othersThan('a string').map(([value, called]) =>
        update(`${name} is ${called}`, { [name]: value }, mustBe(at(camel(name)), 'a string', called)),
      ),
    ),
    ...structures.flatMap((name) =>
      othersThan('a structure').map(([value, called]) =>
        update(`${name} is ${called}`, { [name]: value }, mustBe(at(camel(name)), 'a structure', called)),
      ),
    ),
    ...['Id', 'Type', 'Action'].map((name) =>
      update(`${name} is missing`, { [name]: null }, violates(at(camel(name)), 'not be null')),
    ),
    ...['ErrorMessage', 'ErrorType', 'ErrorData'].map((name) =>
      update(
        `error's ${name} is a list`,
        { Error: { [name]: [] } },
        mustBe(at(`error.${camel(name)}`), 'a string', 'a list'),
      ),
    ),
    update(
      'stack trace is a string',
      { Error: { StackTrace: 'x' } },
      mustBe(at('error.stackTrace'), 'a list', 'a string'),
    ),
    update(
      'stack trace has a number',
      { Error: { StackTrace: ['x', 1] } },
      mustBe(at('error.stackTrace.2.member'), 'a string', 'an integer'),
    ),
    update('Id is empty', { Id: '' }, violates(at('id'), min(1))),
    update('Id is long', { Id: 'a'.repeat(65) }, violates(at('id'), max(64))),
    update('Id has a slash', { Id: 'a/b' }, violates(at('id'), pattern)),
    update('Id has a letter beyond ASCII', { Id: 'é' }, violates(at('id'), pattern)),
    update('Id ends with a line end', { Id: 'a\n' }, violates(at('id'), pattern)),
    update('ParentId is empty', { ParentId: '' }, violates(at('parentId'), min(1))),
    update('ParentId is long', { ParentId: 'a'.repeat(65) }, violates(at('parentId'), max(64))),
    update('Name is empty', { Name: '' }, violates(at('name'), min(1))),
    update('Name is long', { Name: 'a'.repeat(257) }, violates(at('name'), max(256))),
    update('Name has a control character', { Name: 'a\u0007' }, violates(at('name'), pattern)),
    update('Name has an emoji', { Name: '🙂' }, violates(at('name'), pattern)),
    update('SubType is long', { SubType: 'a'.repeat(33) }, violates(at('subType'), max(32))),
    update('SubType has a space', { SubType: 'a b' }, violates(at('subType'), pattern)),
    update('Type is unknown', { Type: 'JUMP' }, violates(at('type'), enumerated)),
    update('Type is in lower case', { Type: 'step' }, violates(at('type'), enumerated)),
    update('Type is inherited', { Type: 'constructor' }, violates(at('type'), enumerated)),
    update('Action is unknown', { Action: 'UNDO' }, violates(at('action'), enumerated)),
    update('Action is empty', { Action: '' }, violates(at('action'), enumerated)),
    update('payload is beyond the model', { Payload: 'x'.repeat(6_291_457) }, violates(at('payload'), max(6_291_456))),
    ...[0, -1, 31_622_401, Number.MAX_SAFE_INTEGER, -1e300].map((seconds) =>
      update(
        `wait of ${seconds} s`,
        { Type: 'WAIT', WaitOptions: { WaitSeconds: seconds } },
        violates(at('waitOptions.waitSeconds'), 'have value '),
      ),
    ),
    ...[0, -5, 31_622_401].map((seconds) =>
      update(
        `retry delay of ${seconds} s`,
        { StepOptions: { NextAttemptDelaySeconds: seconds } },
        violates(at('stepOptions.nextAttemptDelaySeconds'), 'have value '),
      ),
    ),
    update(
      'wait is fractional',
      { Type: 'WAIT', WaitOptions: { WaitSeconds: 1.5 } },
      mustBe(at('waitOptions.waitSeconds'), 'an integer', 'a fractional number'),
    ),
    update(
      'wait is text',
      { Type: 'WAIT', WaitOptions: { WaitSeconds: '5' } },
      mustBe(at('waitOptions.waitSeconds'), 'an integer', 'a string'),
    ),
    update(
      'ReplayChildren is text',
      { Type: 'CONTEXT', ContextOptions: { ReplayChildren: 'true' } },
      mustBe(at('contextOptions.replayChildren'), 'a boolean', 'a string'),
    ),
    ...['TimeoutSeconds', 'HeartbeatTimeoutSeconds'].flatMap((name) => [
      update(
        `${name} is negative`,
        { Type: 'CALLBACK', CallbackOptions: { [name]: -1 } },
        violates(at(`callbackOptions.${camel(name)}`), 'have value greater than or equal to 0'),
      ),
      update(
        `${name} is too long`,
        { Type: 'CALLBACK', CallbackOptions: { [name]: 100_000_000 } },
        violates(at(`callbackOptions.${camel(name)}`), 'have value less than or equal to 99999999'),
      ),
    ]),
    update(
      'target is missing',
      { Type: 'CHAINED_INVOKE', ChainedInvokeOptions: {} },
      violates(at('chainedInvokeOptions.functionName'), 'not be null'),
    ),
    update(
      'target is no name',
      { Type: 'CHAINED_INVOKE', ChainedInvokeOptions: { FunctionName: 'a b' } },
      violates(at('chainedInvokeOptions.functionName'), pattern),
    ),
    update(
      'tenant is long',
      { Type: 'CHAINED_INVOKE', ChainedInvokeOptions: { FunctionName: 'plain', TenantId: 'x'.repeat(257) } },
      violates(at('chainedInvokeOptions.tenantId'), max(256)),
    ),
    checkpoint(
      target,
      'a thousand bad updates are told in a bounded answer',
      {
        CheckpointToken: target.token,
        Updates: Array.from({ length: 1_000 }, () => ({ ...step, Id: 'ü'.repeat(2_000) })),
      },
      refusal(400, 'ValidationException', /^2000 validation errors detected: .{1,40000}; and 1980 more$/s),
    ),
  ]
}

// ------------------------------------------------------------------------------------------------ tokens and ARNs

/** The text with one hexadecimal digit changed. */
function changed(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`
}

function tokens(target: Target): readonly BadRequest[] {
  const { token, arn } = target
  const variants: readonly (readonly [title: string, token: string, refused: Refusal])[] = [
    ['of another version', changed(token, 1), BAD_TOKEN],
    ['of another execution id', changed(token, 5), FOREIGN_TOKEN],
    ['of another execution', target.otherToken, FOREIGN_TOKEN],
    ['of another invocation', changed(token, 41), BAD_TOKEN],
    ['with the next counter', changed(token, 49), BAD_TOKEN],
    ['with the first digit of its secret changed', changed(token, 50), BAD_TOKEN],
    ['with the last digit of its secret changed', changed(token, token.length - 1), BAD_TOKEN],
    ['that was consumed', target.staleToken, BAD_TOKEN],
    ['that lacks its end', token.slice(0, -1), BAD_TOKEN],
    ['with one digit more', `${token}0`, BAD_TOKEN],
    ['in upper case', token.toUpperCase(), BAD_TOKEN],
    ['twice', token + token, BAD_TOKEN],
    ['that is a callback id', target.callbackId, BAD_TOKEN],
    ['of one character', 'A', BAD_TOKEN],
    ['of zeros', '0'.repeat(token.length), BAD_TOKEN],
    ['empty', '', violates('checkpointToken', 'have length greater than or equal to 1')],
    ['too long', 'A'.repeat(2_049), violates('checkpointToken', 'have length less than or equal to 2048')],
    ['with a space', ` ${token}`, violates('checkpointToken', 'satisfy regular expression pattern: ')],
    ['with a line end', `${token}\n`, violates('checkpointToken', 'satisfy regular expression pattern: ')],
    ['with padding inside', `A=${token}`, violates('checkpointToken', 'satisfy regular expression pattern: ')],
    ['in base64url', '-_-_', violates('checkpointToken', 'satisfy regular expression pattern: ')],
  ]
  return variants.flatMap(([title, wrong, refused]) => [
    checkpoint(
      target,
      `a token ${title}`,
      { CheckpointToken: wrong, Updates: [{ Id: 'x', Type: 'STEP', Action: 'START' }] },
      refused,
    ),
    {
      title: `state: a token ${title}`,
      line: `GET ${API}/${label(arn)}/state?CheckpointToken=${label(wrong)}`,
      refused,
    },
  ])
}

function arns(target: Target): readonly BadRequest[] {
  const { arn, token } = target
  const body = JSON.stringify({ CheckpointToken: token })
  const shape = violates('durableExecutionArn', 'satisfy regular expression pattern: ')
  const variants: readonly (readonly [title: string, arn: string, read: Refusal, checkpoint: Refusal])[] = [
    [
      'of another region',
      arn.replace('us-east-1', 'eu-west-1'),
      refusal(404, 'ResourceNotFoundException', 'Function not found'),
      BAD_TOKEN,
    ],
    ['of another account', arn.replace(/:\d{12}:/, ':999999999999:'), NO_EXECUTION, BAD_TOKEN],
    ['of another partition', arn.replace('arn:aws:', 'arn:aws-cn:'), NO_EXECUTION, BAD_TOKEN],
    ['of another function', arn.replace('function:puppet', 'function:plain'), NO_EXECUTION, BAD_TOKEN],
    ['of another version', arn.replace('$LATEST', '7'), NO_EXECUTION, BAD_TOKEN],
    ['of another name', arn.replace('/victim/', '/other/'), NO_EXECUTION, BAD_TOKEN],
    ['of another id', changed(arn, arn.length - 1), NO_EXECUTION, FOREIGN_TOKEN],
    ['without a version', arn.replace(':$LATEST', ''), shape, shape],
    ['without an id', arn.replace(/\/[^/]+$/, ''), shape, shape],
    ['with an id too many', `${arn}/more`, shape, shape],
    ['of another service', arn.replace(':lambda:', ':states:'), shape, shape],
    ['with a short account', arn.replace(/:\d{12}:/, ':12345:'), shape, shape],
    ['in capitals', arn.toUpperCase(), shape, shape],
    ['with a space behind', `${arn} `, shape, shape],
    ['with NUL inside', arn.replace('victim', 'vic\0tim'), shape, shape],
    ['with a quote inside', arn.replace('victim', "vic' OR 1=1--"), shape, shape],
    ['with letters beyond ASCII', arn.replace('victim', 'víctim'), shape, shape],
    ['with dots for a name', arn.replace('/victim/', '/../'), shape, shape],
    ['encoded twice', label(arn), shape, shape],
    [
      'of a thousand characters more',
      arn.replace('victim', 'v'.repeat(1_024)),
      violates('durableExecutionArn', 'have length less than or equal to 1024'),
      violates('durableExecutionArn', 'have length less than or equal to 1024'),
    ],
    ['that is a word', 'victim', shape, shape],
  ]
  return variants.flatMap(([title, wrong, read, decided]) => [
    { title: `get: an ARN ${title}`, line: `GET ${API}/${label(wrong)}`, refused: read },
    { title: `history: an ARN ${title}`, line: `GET ${API}/${label(wrong)}/history`, refused: read },
    { title: `stop: an ARN ${title}`, line: `POST ${API}/${label(wrong)}/stop`, body: '{}', refused: read },
    { title: `checkpoint: an ARN ${title}`, line: checkpointLine(wrong), body, refused: decided },
  ])
}

// ------------------------------------------------------------------------------------------------- reading and query

function queries({ arn, token }: Target): readonly BadRequest[] {
  const history = `GET ${API}/${label(arn)}/history`
  const state = `GET ${API}/${label(arn)}/state?CheckpointToken=${token}`
  const list = 'GET /2025-12-01/functions/puppet/durable-executions'
  const get = (title: string, line: string, refused: Refusal): BadRequest => ({ title, line, refused })
  const sizes = (title: string, line: string): readonly BadRequest[] => [
    get(
      `${title}: a negative page`,
      `${line}MaxItems=-1`,
      violates('maxItems', 'have value greater than or equal to 0'),
    ),
    get(`${title}: a huge page`, `${line}MaxItems=1001`, violates('maxItems', 'have value less than or equal to 1000')),
    ...['abc', '1.5', '1e2', '0x10', '', '%20', '9'.repeat(400), '١'].map((text) =>
      get(
        `${title}: a page of ${text.slice(0, 8)}`,
        `${line}MaxItems=${encodeURI(decodeURI(text))}`,
        serialization(/^The member 'maxItems' must be an integer, not /),
      ),
    ),
  ]
  const timestamp = (name: string, text: string) =>
    get(
      `list: ${name} is ${text.slice(0, 20)}`,
      `${list}?${name}=${label(text)}`,
      serialization(new RegExp(`^The member '${name.charAt(0).toLowerCase()}${name.slice(1)}' must be a timestamp`)),
    )
  return [
    ...sizes('history', `${history}?`),
    ...sizes('state', `${state}&`),
    ...sizes('list', `${list}?`),
    ...['yes', '1', 'TRUE', ''].flatMap((text) => [
      get(
        `history: IncludeExecutionData is ${text}`,
        `${history}?IncludeExecutionData=${text}`,
        serialization(/^The member 'includeExecutionData' must be a boolean/),
      ),
      get(
        `list: ReverseOrder is ${text}`,
        `${list}?ReverseOrder=${text}`,
        serialization(/^The member 'reverseOrder' must be a boolean/),
      ),
    ]),
    ...['nonsense', '-1', '99999999999999999999', '%00', '💥'].flatMap((text) => [
      get(`history: a marker ${text}`, `${history}?Marker=${encodeURI(text)}`, invalid('Invalid Marker')),
      get(`state: a marker ${text}`, `${state}&Marker=${encodeURI(text)}`, invalid('Invalid Marker')),
      get(`list: a marker ${text}`, `${list}?Marker=${encodeURI(text)}`, invalid('Invalid Marker')),
    ]),
    ...['FINISHED', 'running', '', 'RUNNING,FAILED'].map((text) =>
      get(
        `list: status ${text}`,
        `${list}?Statuses=${text}`,
        violates('statuses.1.member', 'satisfy enum value set: ['),
      ),
    ),
    get(
      'list: eleven statuses',
      `${list}?${'Statuses=RUNNING&'.repeat(11)}`,
      violates('statuses', 'have length less than or equal to 10'),
    ),
    ...['StartedAfter', 'StartedBefore'].flatMap((name) =>
      ['yesterday', '2025-13-01T00:00:00Z', '2025-01-01', '1e5', '2025-01-01T25:00:00Z', '9'.repeat(40)].map((text) =>
        timestamp(name, text),
      ),
    ),
    get(
      'list: a long name',
      `${list}?DurableExecutionName=${'n'.repeat(65)}`,
      violates('durableExecutionName', 'have length less than or equal to 64'),
    ),
    get(
      'list: a name with a space',
      `${list}?DurableExecutionName=a%20b`,
      violates('durableExecutionName', 'satisfy regular expression pattern: '),
    ),
    get(
      'list: an empty name',
      `${list}?DurableExecutionName=`,
      violates('durableExecutionName', 'have length greater than or equal to 1'),
    ),
    ...['%', '%2', '%zz', '%ff', '%c0%af', '%ed%a0%80'].flatMap((text) => [
      get(`a query with ${text}`, `${history}?Marker=${text}`, BAD_PERCENT),
      get(`a query name with ${text}`, `${history}?${text}=1`, BAD_PERCENT),
      get(`a path with ${text}`, `GET ${API}/${label(arn)}${text}/history`, BAD_PERCENT),
    ]),
  ]
}

// -------------------------------------------------------------------------------------------------------- Invoke

function invokes(): readonly BadRequest[] {
  const invoke = (title: string, name: string, more: Partial<BadRequest>, refused: Refusal): BadRequest => ({
    title: `invoke: ${title}`,
    line: `POST ${FUNCTIONS}/${name}/invocations`,
    body: '{}',
    ...more,
    refused,
  })
  const durable = 'puppet%3A%24LATEST'
  const header = (name: string, value: string): Partial<BadRequest> => ({ headers: { [name]: value } })
  const pattern = violates('functionName', 'satisfy regular expression pattern: ')
  const notFound = refusal(404, 'ResourceNotFoundException', /^Function not found: arn:aws:lambda:us-east-1:/)
  const notJson = refusal(400, 'InvalidRequestContentException', /^Could not parse request body into json: /)
  const context = refusal(
    400,
    'InvalidRequestContentException',
    'Client context must be a valid Base64-encoded JSON object.',
  )
  const tooLarge = (type: string, limit: number): Refusal =>
    refusal(
      413,
      'RequestTooLargeException',
      new RegExp(`payload is too large for the ${type} invocation type \\(limit ${limit} bytes\\)$`),
    )
  return [
    invoke('no such function', 'nobody', {}, notFound),
    invoke('no such version', 'plain', { line: `POST ${FUNCTIONS}/plain/invocations?Qualifier=9` }, notFound),
    invoke('no such alias', 'plain%3Aprod', {}, notFound),
    invoke('a function called like a member of every object', '__proto__', {}, notFound),
    invoke('a function called constructor', 'constructor', {}, notFound),
    ...[
      'a%20b',
      'a%2Fb',
      'a%00b',
      '%E2%82%AC',
      'a%3Ab%3Ac%3Ad%3Ae',
      'arn%3Aaws%3As3%3A%3A%3Abucket',
      '%22',
      '%3Cscript%3E',
    ].map((name) => invoke(`a function called ${name}`, name, {}, pattern)),
    invoke('a long name', 'f'.repeat(257), {}, violates('functionName', 'have length less than or equal to 256')),
    invoke(
      'a function of another region',
      label('arn:aws:lambda:eu-west-1:000000000000:function:plain'),
      {},
      refusal(404, 'ResourceNotFoundException', /^Functions from 'eu-west-1' are not reachable/),
    ),
    invoke(
      'a function of another account',
      label('arn:aws:lambda:us-east-1:999999999999:function:plain'),
      {},
      refusal(403, 'AccessDeniedException', /^Functions of account '999999999999'/),
    ),
    invoke(
      'two qualifiers',
      durable,
      { line: `POST ${FUNCTIONS}/${durable}/invocations?Qualifier=7` },
      invalid('The derived qualifier from the function name does not match the specified qualifier.'),
    ),
    invoke(
      'a qualifier with a space',
      'plain',
      { line: `POST ${FUNCTIONS}/plain/invocations?Qualifier=a%20b` },
      violates('qualifier', 'satisfy regular expression pattern: '),
    ),
    invoke(
      'an empty qualifier',
      'plain',
      { line: `POST ${FUNCTIONS}/plain/invocations?Qualifier=` },
      violates('qualifier', 'have length greater than or equal to 1'),
    ),
    invoke(
      'a durable function without version',
      'puppet',
      {},
      invalid('You cannot invoke a durable function using an unqualified ARN.'),
    ),
    ...['event', 'Sync', '', 'Event,DryRun'].map((type) =>
      invoke(
        `type ${type}`,
        'plain',
        header('x-amz-invocation-type', type),
        violates('invocationType', 'satisfy enum value set: ['),
      ),
    ),
    invoke('log type All', 'plain', header('x-amz-log-type', 'All'), violates('logType', 'satisfy enum value set: [')),
    ...['!', 'bm8=', 'W10=', 'eyJhIjp9', '====', 'e30', ' ']
      .filter((text) => text !== 'e30' && text !== ' ')
      .map((text) => invoke(`client context ${text}`, 'plain', header('x-amz-client-context', text), context)),
    invoke(
      'a long client context',
      'plain',
      header('x-amz-client-context', 'e'.repeat(3_584)),
      violates('clientContext', 'have length less than or equal to 3583'),
    ),
    invoke(
      'a name for a plain function',
      'plain',
      header('x-amz-durable-execution-name', 'n'),
      invalid('A durable execution name can only be given to a durable function.'),
    ),
    ...['a b', 'a/b', 'é', 'a.b', "'; DROP TABLE journal;--"].map((name) =>
      invoke(
        `execution name ${name}`,
        durable,
        header('x-amz-durable-execution-name', Buffer.from(name).toString('latin1')),
        violates('durableExecutionName', 'satisfy regular expression pattern: '),
      ),
    ),
    invoke(
      'a long execution name',
      durable,
      header('x-amz-durable-execution-name', 'n'.repeat(65)),
      violates('durableExecutionName', 'have length less than or equal to 64'),
    ),
    invoke(
      'an empty execution name',
      durable,
      header('x-amz-durable-execution-name', ''),
      violates('durableExecutionName', 'have length greater than or equal to 1'),
    ),
    invoke(
      'a tenant where there are none',
      'plain',
      header('x-amz-tenant-id', 't'),
      invalid(/does not isolate tenants/),
    ),
    invoke(
      'a tenant with odd characters',
      'plain',
      header('x-amz-tenant-id', 'a*b'),
      violates('tenantId', 'satisfy regular expression pattern: '),
    ),
    ...[
      '{',
      'hello',
      "{'a':1}",
      '[1,]',
      '{"a":undefined}',
      '\ufeff{}',
      '01',
      '"\t"',
      '{}{}',
      '\0',
      'nul',
      '"\\ud8"',
      '['.repeat(100_000),
    ].flatMap((body) => [
      invoke(`body ${JSON.stringify(body.slice(0, 12))} to a durable function`, durable, { body }, notJson),
      invoke(
        `body ${JSON.stringify(body.slice(0, 12))} to a plain one, asynchronously`,
        'plain',
        { body, ...header('x-amz-invocation-type', 'Event') },
        notJson,
      ),
    ]),
    ...[Buffer.from([0xff, 0xfe]), Buffer.from([0x22, 0xc3, 0x28, 0x22]), Buffer.from('"é"', 'latin1')].map(
      (body, index) => invoke(`a body that is no UTF-8, ${index + 1}`, durable, { body }, notJson),
    ),
    invoke(
      'more than six megabytes',
      durable,
      { body: Buffer.alloc(6_291_457, 0x20) },
      tooLarge('RequestResponse', 6_291_456),
    ),
    invoke(
      'more than one megabyte asynchronously',
      durable,
      { body: Buffer.alloc(1_048_577, 0x20), ...header('x-amz-invocation-type', 'Event') },
      tooLarge('Event', 1_048_576),
    ),
  ]
}

// ---------------------------------------------------------------------------------------------- callbacks and stop

function callbacks(target: Target): readonly BadRequest[] {
  const { callbackId } = target
  const closed = refusal(400, 'CallbackTimeoutException', 'The callback is either timed out or already completed')
  const noId = invalid('Invalid callback id')
  const variants: readonly (readonly [title: string, id: string, refused: Refusal])[] = [
    ['of another version', changed(callbackId, 1), noId],
    ['of another execution', changed(callbackId, 7), closed],
    ['of another operation', changed(callbackId, 41), closed],
    ['with the first digit of its secret changed', changed(callbackId, 42), closed],
    ['with the last digit of its secret changed', changed(callbackId, callbackId.length - 1), closed],
    ['that lacks its end', callbackId.slice(0, -2), noId],
    ['with one digit more', `${callbackId}0`, noId],
    ['in upper case', callbackId.toUpperCase(), noId],
    ['that is a token', target.token, noId],
    ['that is a word', 'approve', noId],
    ['too long', 'A'.repeat(1_025), violates('callbackId', 'have length less than or equal to 1024')],
    ['with a dash', `${callbackId}-`, violates('callbackId', 'satisfy regular expression pattern: ')],
    ['with a line end', `${callbackId}\n`, violates('callbackId', 'satisfy regular expression pattern: ')],
    ['with a percent sign', '%', violates('callbackId', 'satisfy regular expression pattern: ')],
  ]
  const fail = `POST ${CALLBACKS}/${callbackId}/fail`
  return [
    ...variants.flatMap(([title, id, refused]) =>
      ['succeed', 'fail', 'heartbeat'].map((call) => ({
        title: `${call}: an id ${title}`,
        line: `POST ${CALLBACKS}/${label(id)}/${call}`,
        body: call === 'succeed' ? '"yes"' : '{}',
        refused,
      })),
    ),
    {
      title: 'succeed: no UTF-8',
      line: `POST ${CALLBACKS}/${callbackId}/succeed`,
      body: Buffer.from([0xff]),
      refused: invalid('The result of a callback must be valid UTF-8.'),
    },
    {
      title: 'succeed: more than a megabyte',
      line: `POST ${CALLBACKS}/${callbackId}/succeed`,
      body: Buffer.alloc(1_048_577, 0x61),
      refused: violates('result', 'have length less than or equal to 1048576'),
    },
    {
      title: 'fail: more than a megabyte',
      line: fail,
      body: Buffer.alloc(1_048_577, 0x20),
      refused: invalid('Error object size must be less than or equal to 1048576 bytes.'),
    },
    ...errorBodies(fail, 'fail'),
  ]
}

function stops({ arn, closedArn }: Target): readonly BadRequest[] {
  const line = `POST ${API}/${label(arn)}/stop`
  return [
    ...errorBodies(line, 'stop'),
    {
      title: 'stop: more than a megabyte',
      line,
      body: Buffer.alloc(1_048_577, 0x20),
      refused: invalid('Error object size must be less than or equal to 1048576 bytes.'),
    },
    {
      title: 'checkpoint: an execution that has ended',
      line: checkpointLine(closedArn),
      body: '{"CheckpointToken":"YQ=="}',
      refused: BAD_TOKEN,
    },
  ]
}

/** Bodies that are no ErrorObject. */
function errorBodies(line: string, call: string): readonly BadRequest[] {
  const body = (title: string, text: string | Buffer, refused: Refusal): BadRequest => ({
    title: `${call}: ${title}`,
    line,
    body: text,
    refused,
  })
  return [
    body('no JSON', '{', NOT_JSON),
    body('no UTF-8', Buffer.from([0x22, 0xff, 0x22]), serialization('The request body is not valid UTF-8.')),
    ...othersThan('a structure').map(([value, called]) =>
      body(called, JSON.stringify(value), mustBe('', 'a structure', called)),
    ),
    ...['ErrorMessage', 'ErrorType', 'ErrorData'].map((name) =>
      body(
        `${name} is a number`,
        `{"${name}":5}`,
        mustBe(name.charAt(0).toLowerCase() + name.slice(1), 'a string', 'an integer'),
      ),
    ),
    body('StackTrace is a structure', '{"StackTrace":{}}', mustBe('stackTrace', 'a list', 'a structure')),
    body('StackTrace holds null', '{"StackTrace":["a",null]}', violates('stackTrace.2.member', 'not be null')),
  ]
}

// --------------------------------------------------------------------------------------------- functions and nowhere

function functions(): readonly BadRequest[] {
  const get = (title: string, path: string, refused: Refusal): BadRequest => ({
    title,
    line: `GET ${FUNCTIONS}${path}`,
    refused,
  })
  return [
    get('get function: unknown', '/nobody', refusal(404, 'ResourceNotFoundException', /^Function not found: /)),
    get('get function: no name', '/a%20b', violates('functionName', 'satisfy regular expression pattern: ')),
    get(
      'get configuration: unknown',
      '/nobody/configuration',
      refusal(404, 'ResourceNotFoundException', /^Function not found: /),
    ),
    get('list functions: a page of none', '?MaxItems=0', violates('maxItems', 'have value greater than or equal to 1')),
    get(
      'list functions: a page of 10,001',
      '?MaxItems=10001',
      violates('maxItems', 'have value less than or equal to 10000'),
    ),
    get('list functions: a filter', '?FunctionVersion=SOME', violates('functionVersion', 'satisfy enum value set: [')),
    { title: 'logs: no limit', line: 'GET /perdure/v1/logs?limit=-1', refused: invalid(/'limit' must be a number/) },
    { title: 'logs: no time', line: 'GET /perdure/v1/logs?after=soon', refused: invalid(/'after' must be/) },
    { title: 'logs: no level', line: 'GET /perdure/v1/logs?level=loud', refused: invalid(/'level' must be one of/) },
    { title: 'logs: no pattern', line: 'GET /perdure/v1/logs?filter=%7B', refused: invalid(/'filter' cannot be read/) },
    {
      title: 'logs: a pattern of any length',
      line: `GET /perdure/v1/logs?filter=${'x'.repeat(2_000)}`,
      refused: invalid(/more than 1024 characters/),
    },
    { title: 'logs: no position', line: 'GET /perdure/v1/logs?position=1e9', refused: invalid(/'position' must be/) },
    {
      title: 'logs: children of nobody',
      line: 'GET /perdure/v1/logs?execution=order&children=true',
      refused: invalid(/'execution' must be the ARN/),
    },
  ]
}

function nowhere({ arn }: Target): readonly BadRequest[] {
  return [
    'GET /',
    'GET //',
    'GET /favicon.ico',
    'GET /..%2f..%2fetc%2fpasswd',
    'GET /2025-12-01/../healthz',
    'GET /2025-12-01/durable-executions',
    'GET /2025-12-01/durable-executions/',
    'GET /2015-03-31/functions/plain/code',
    'GET /%00',
    'GET /METRICS',
    `PUT ${API}/${label(arn)}`,
    `PATCH ${API}/${label(arn)}`,
    `OPTIONS ${API}/${label(arn)}`,
    `TRACE ${API}/${label(arn)}`,
    `POST ${API}/${label(arn)}`,
    `POST ${API}/${label(arn)}/History`,
    'PUT /2015-03-31/functions',
    'PATCH /2015-03-31/functions/plain',
    'PROPFIND /',
    `GET /${'x'.repeat(8_000)}`,
  ].map((line) => ({
    title: `nowhere: ${line.length < 60 ? line : `${line.slice(0, 30)}…${line.slice(-25)}`}`,
    line,
    refused: UNKNOWN,
  }))
}

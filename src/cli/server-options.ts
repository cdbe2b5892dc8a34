/** The options of commands that are a server, and what they mean to the embedding API. */
import type { PerdureOptions } from '../index.ts'
import { DEFAULT_ENDPOINT, type OptionSpecs, type Values, wholeNumber } from './command.ts'
import { usageFailure } from './failure.ts'

export const DEFAULT_PORT = Number(new URL(DEFAULT_ENDPOINT).port)

/** As function references have them (spec 09 §9.2): others could never be named in one. */
const REGION = /^(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}$/
const ACCOUNT = /^\d{12}$/

const loopback = ['127.0.0.1', 'localhost', '::1']
const clocks = ['system', 'manual', 'skip'] as const
const isolations = ['none', 'bubblewrap', 'auto'] as const
const logFormats = ['text', 'json'] as const
const logLevels = ['debug', 'info', 'warn', 'error'] as const

export const SERVER_OPTIONS = {
  port: { type: 'string', value: '<port>', help: `Port to listen on; 0 takes any free one (default ${DEFAULT_PORT})` },
  host: { type: 'string', value: '<address>', help: 'Loopback address to listen on (default 127.0.0.1)' },
  data: { type: 'string', value: '<folder>', help: 'Where executions and logs are kept (default ./.perdure)' },
  memory: { type: 'boolean', help: 'Keep executions in memory only: they end with the server' },
  clock: {
    type: 'string',
    value: '<kind>',
    choices: clocks,
    help: 'system; for tests: manual (advanced by calls) or skip (jumps to the next timer)',
  },
  region: { type: 'string', value: '<region>', help: 'Region in ARNs (default us-east-1)' },
  account: { type: 'string', value: '<account>', help: 'Account in ARNs, 12 digits (default 000000000000)' },
  'allow-unqualified': { type: 'boolean', help: 'Take a call of a durable function without version as one of $LATEST' },
  'allow-durable-updates': {
    type: 'boolean',
    help: 'Let functions be made durable after their creation, which AWS does not',
  },
  'log-format': {
    type: 'string',
    value: '<kind>',
    choices: logFormats,
    help: 'How the server logs to standard error: text, json (default text on a terminal, else json)',
  },
  'log-level': {
    type: 'string',
    value: '<level>',
    choices: logLevels,
    help: 'The lowest level logged: debug (every request), info, warn, error (default info)',
  },
  inspect: {
    type: 'boolean',
    help: 'Let debuggers attach to function processes, at the addresses they print; invocations have no timeouts then',
  },
  isolation: {
    type: 'string',
    value: '<kind>',
    choices: isolations,
    help: 'What functions see of the machine: none (everything), bubblewrap (what they need), auto (default none)',
  },
  json: { type: 'boolean', help: 'When ready, print one JSON line with the endpoint' },
} as const satisfies OptionSpecs

/** Everything but the functions. */
export function serverOptions(values: Values<typeof SERVER_OPTIONS>): Omit<PerdureOptions, 'functions'> {
  if (values.memory === true && values.data !== undefined) {
    throw usageFailure('--memory and --data exclude each other', 'leave one of them out')
  }
  const clock = oneOf('clock', values.clock, clocks)
  const format = oneOf('log format', values['log-format'], logFormats)
  const isolation = oneOf('isolation', values.isolation, isolations)
  const level = oneOf('log level', values['log-level'], logLevels)
  if (values.host !== undefined && !loopback.includes(values.host)) {
    throw usageFailure(
      `--host "${values.host}" is not a loopback address: whoever reaches the server can run code, and this version has no authentication`,
      `use one of ${loopback.join(', ')}, with a tunnel or an authenticating proxy in front of it`,
    )
  }
  const region = matching('region', values.region, REGION, 'it looks like eu-west-1')
  const account = matching('account', values.account, ACCOUNT, 'it is 12 digits')
  const place = { ...(region !== undefined && { region }), ...(account !== undefined && { account }) }
  const port = wholeNumber('port', values.port, 0, 65_535)
  return {
    ...(port !== undefined && { port }),
    ...(values.host !== undefined && { host: values.host }),
    ...(values.memory === true && { data: { kind: 'memory' as const } }),
    ...(values.data !== undefined && { data: values.data }),
    ...(clock !== undefined && { clock }),
    place,
    ...(values['allow-unqualified'] === true && { allowUnqualified: true }),
    ...(values['allow-durable-updates'] === true && { allowDurableUpdates: true }),
    ...(values.inspect === true && { inspect: true }),
    ...(isolation !== undefined && { isolation }),
    log: { ...(format !== undefined && { format }), ...(level !== undefined && { level }) },
  }
}

function matching(what: string, text: string | undefined, pattern: RegExp, hint: string): string | undefined {
  if (text === undefined || pattern.test(text)) return text
  throw usageFailure(`"${text}" is not the name of a${/^[aeiou]/.test(what) ? 'n' : ''} ${what}`, hint)
}

function oneOf<Kind extends string>(what: string, text: string | undefined, kinds: readonly Kind[]): Kind | undefined {
  const known = kinds.find((kind) => kind === text)
  if (text !== undefined && known === undefined) {
    throw usageFailure(`there is no ${what} "${text}"`, `one of ${kinds.join(', ')}`)
  }
  return known
}

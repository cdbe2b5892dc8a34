import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientFor, defineCommand, type Surroundings, type Values, wholeNumber } from '../../src/cli/command.ts'
import { CliFailure, EXIT } from '../../src/cli/failure.ts'
import { SERVER_OPTIONS, serverOptions } from '../../src/cli/server-options.ts'
import { terminalOf } from '../../src/cli/terminal.ts'

function surroundings(): Surroundings & { readonly printed: string[] } {
  const printed: string[] = []
  const sink = { write: (text: string) => printed.push(text) }
  return {
    printed,
    terminal: terminalOf(sink, sink, {}),
    env: {},
    cwd: '/',
    stopSignal: () => new AbortController().signal,
    ask: undefined,
    readStdin: async () => '',
  }
}

const paint = defineCommand({
  name: 'walls paint',
  summary: 'Paint a wall',
  operands: '<wall>',
  operandCount: [1, 1],
  options: {
    colour: { type: 'string', short: 'c', value: '<name>', help: 'Which colour' },
    twice: { type: 'boolean', help: 'Two coats' },
    over: { type: 'string', multiple: true, value: '<what>', help: 'What to paint over' },
  },
  examples: ['perdure walls paint north'],
  async run({ values, operands, terminal }) {
    terminal.out(JSON.stringify({ ...values, operands }))
    return EXIT.ok
  },
})

const usage = (cause: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CliFailure)
  assert.equal(error.exitCode, EXIT.usage)
  assert.match(error.text.cause, cause)
  assert.match(error.text.fix ?? '', /./)
  return true
}

test('options and operands reach the command', async () => {
  const around = surroundings()
  const args = ['north', '-c', 'red', '--twice', '--over', 'a', '--over=b']
  assert.equal(await paint.execute(args, around), EXIT.ok)
  assert.deepEqual(JSON.parse(around.printed.join('')), {
    colour: 'red',
    twice: true,
    over: ['a', 'b'],
    operands: ['north'],
  })
})

test('mistakes in usage say what is wrong and where the help is', async () => {
  const run = (...args: readonly string[]) => paint.execute(args, surroundings())
  await assert.rejects(run('north', '--color', 'red'), usage(/walls paint: unknown option '--color'/))
  await assert.rejects(run('north', '--colour'), usage(/--colour.*argument missing/))
  await assert.rejects(run('north', '--twice=yes'), usage(/--twice.*does not take an argument/))
  await assert.rejects(run(), usage(/walls paint: <wall> is missing/))
  await assert.rejects(run('north', 'south'), usage(/unexpected argument "south"/))
})

test('the help page has the usage, every option and an example, and wins over missing operands', async () => {
  const around = surroundings()
  assert.equal(await paint.execute(['--help'], around), EXIT.ok)
  const page = around.printed.join('')
  assert.match(page, /Usage: perdure walls paint <wall> \[options\]/)
  assert.match(page, /-c, --colour <name> +Which colour/)
  assert.match(page, /--twice +Two coats/)
  assert.match(page, /-h, --help/)
  assert.match(page, /perdure walls paint north/)
})

test('whole numbers keep their bounds', () => {
  assert.equal(wholeNumber('limit', undefined, 1, 9), undefined)
  assert.equal(wholeNumber('limit', '9', 1, 9), 9)
  for (const text of ['0', '10', '1.5', '-1', '', '1e1', 'many']) {
    assert.throws(() => wholeNumber('limit', text, 1, 9), usage(/whole number from 1 to 9/), text)
  }
})

test('the endpoint comes from the option, else the environment, else the default', () => {
  const env = { PERDURE_ENDPOINT: 'http://127.0.0.1:2' }
  assert.equal(clientFor({ endpoint: 'http://127.0.0.1:1' }, env).endpoint, 'http://127.0.0.1:1')
  assert.equal(clientFor({ endpoint: undefined }, env).endpoint, 'http://127.0.0.1:2')
  assert.equal(clientFor({ endpoint: undefined }, { PERDURE_ENDPOINT: '' }).endpoint, 'http://127.0.0.1:7077')
  for (const endpoint of ['localhost:7077', 'ftp://host', 'nonsense', '']) {
    assert.throws(() => clientFor({ endpoint }, {}), usage(/is not an http or https URL/), endpoint)
  }
})

const noOptions = Object.fromEntries(Object.keys(SERVER_OPTIONS).map((name) => [name, undefined])) as unknown as Values<
  typeof SERVER_OPTIONS
>

test('server options become options of the embedding API, absent ones stay absent', () => {
  assert.deepEqual(serverOptions(noOptions), { place: {}, log: {} })
  assert.deepEqual(serverOptions({ ...noOptions, port: '0', memory: true, clock: 'skip', 'allow-unqualified': true }), {
    port: 0,
    data: { kind: 'memory' },
    clock: 'skip',
    place: {},
    allowUnqualified: true,
    log: {},
  })
  const place = { region: 'eu-west-1', account: '123456789012' }
  assert.deepEqual(serverOptions({ ...noOptions, ...place, 'allow-durable-updates': true }), {
    place,
    allowDurableUpdates: true,
    log: {},
  })
  assert.throws(() => serverOptions({ ...noOptions, memory: true, data: 'x' }), usage(/exclude each other/))
  assert.throws(() => serverOptions({ ...noOptions, clock: 'sundial' }), usage(/no clock "sundial"/))
  assert.throws(() => serverOptions({ ...noOptions, port: '70000' }), usage(/whole number/))
})

test('colour needs a terminal, and NO_COLOR takes it away', () => {
  const tty = { write: () => true, isTTY: true }
  const pipe = { write: () => true }
  const coloured = (env: Record<string, string>, sink: { write: () => boolean }) =>
    terminalOf(sink, pipe, env).paint('red', 'x') !== 'x'
  assert.equal(coloured({}, tty), true)
  assert.equal(coloured({ NO_COLOR: '1' }, tty), false)
  assert.equal(coloured({ NO_COLOR: '' }, tty), true)
  assert.equal(coloured({ TERM: 'dumb' }, tty), false)
  assert.equal(coloured({}, pipe), false)
  assert.equal(terminalOf(pipe, tty, {}).live, false)
  assert.equal(terminalOf(tty, tty, { TERM: 'dumb' }).live, false)
  assert.equal(terminalOf(tty, tty, { NO_COLOR: '1' }).live, true)
})

/** Whatever stands in the way is told in one message with cause and fix, without a stack, and by the exit code. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inRepository, type Outcome, perdure, server, temporaryFolder } from './program.ts'

const hello = inRepository('examples/hello.ts')

function assertOneMessage(outcome: Outcome, code: number, cause: RegExp, fix: RegExp): void {
  assert.equal(outcome.code, code, outcome.err)
  assert.equal(outcome.out, '')
  const lines = outcome.err.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^perdure: /)
  assert.match(lines[0] ?? '', cause)
  assert.match(lines.at(-1) ?? '', /^ {2}fix: /)
  assert.match(lines.at(-1) ?? '', fix)
  assert.ok(lines.length <= 3, outcome.err)
  assert.doesNotMatch(outcome.err, /^ +at /m)
}

/** The port of an HTTP server that is not Perdure. */
async function foreignPort(context: TestContext): Promise<number> {
  const foreign = createServer((_request, response) => response.writeHead(404).end('<html>no</html>'))
  foreign.listen(0, '127.0.0.1')
  await once(foreign, 'listening')
  context.after(() => foreign.close())
  return (foreign.address() as AddressInfo).port
}

test('a used port', async (context) => {
  const port = await foreignPort(context)
  const outcome = await perdure(['dev', hello, '--memory', '--port', String(port)])
  assertOneMessage(outcome, 1, new RegExp(`port ${port} is already used`), /--port 0/)
})

test('a data folder that another server uses', async (context) => {
  const data = await temporaryFolder(context)
  await server(context, ['dev', hello, '--data', data])
  const outcome = await perdure(['dev', hello, '--data', data, '--port', '0'])
  assertOneMessage(outcome, 1, /is used by another Perdure server/, /--data/)
})

test('a data folder that is a file', async (context) => {
  const file = join(await temporaryFolder(context), 'file')
  await writeFile(file, '')
  const outcome = await perdure(['dev', hello, '--data', file, '--port', '0'])
  assertOneMessage(outcome, 1, /file is not a folder/, /--data/)
})

test('a handler file that is missing', async (context) => {
  const folder = await temporaryFolder(context)
  const config = join(folder, 'perdure.config.mjs')
  await writeFile(config, `export default { functions: [{ name: 'gone', handler: './gone.ts' }] }`)
  assertOneMessage(
    await perdure(['start', '--memory'], { cwd: folder }),
    1,
    /"gone": there is no file .*gone\.ts/,
    /path/,
  )
  assertOneMessage(
    await perdure(['dev', 'gone.ts', '--memory'], { cwd: folder }),
    1,
    /no file or folder .*gone\.ts/,
    /path/,
  )
})

test('a syntax error in a handler names file and line', async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(join(folder, 'broken.ts'), 'export const fine = 1\nexport const handler = async ( => 1\n')
  const outcome = await perdure(['dev', 'broken.ts', '--memory'], { cwd: folder })
  assertOneMessage(outcome, 1, /"broken" cannot be compiled: .*broken\.ts:2:\d+/, /correct the source/)
})

test('a module without a handler', async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(join(folder, 'empty.mjs'), 'export const other = 1\n')
  const outcome = await perdure(['dev', 'empty.mjs', '--memory'], { cwd: folder })
  assertOneMessage(outcome, 1, /"empty" cannot be loaded .*handler is undefined or not exported/, /correct the module/)
})

test('a config file that is not there', async (context) => {
  const folder = await temporaryFolder(context)
  const check = await perdure(['config', 'check'], { cwd: folder })
  assertOneMessage(check, 1, /there is no perdure\.config\.ts/, /perdure dev/)
  assertOneMessage(await perdure(['start', '--config', 'x.ts'], { cwd: folder }), 1, /x\.ts does not exist/, /--config/)
})

test('an address that other machines could reach', async () => {
  assertOneMessage(await perdure(['dev', hello, '--host', '0.0.0.0']), 2, /not a loopback address/, /127\.0\.0\.1/)
})

test('a region or account that could not stand in an ARN', async () => {
  assertOneMessage(await perdure(['start', '--region', 'mars']), 2, /"mars" is not the name of a region/, /eu-west-1/)
  assertOneMessage(await perdure(['start', '--account', '12']), 2, /"12" is not the name of an account/, /12 digits/)
})

test('an endpoint where nobody listens', async (context) => {
  const port = await foreignPort(context)
  const nobody = `http://127.0.0.1:${port === 1 ? 2 : 1}`
  for (const command of [
    ['executions', 'list'],
    ['invoke', 'hello'],
    ['logs', 'hello'],
    ['callbacks', 'heartbeat', 'abc'],
  ]) {
    const outcome = await perdure(command, { env: { PERDURE_ENDPOINT: nobody } })
    assertOneMessage(outcome, 1, /no Perdure server answers at .*: nothing listens there/, /--endpoint/)
  }
})

test('an endpoint where something else listens', async (context) => {
  const endpoint = `http://127.0.0.1:${await foreignPort(context)}`
  const outcome = await perdure(['executions', 'list', '--endpoint', endpoint])
  assertOneMessage(outcome, 1, /does not answer like a Perdure server/, /--endpoint/)
})

test('wrong usage', async () => {
  assertOneMessage(await perdure(['frobnicate']), 2, /no command "frobnicate"/, /--help/)
  assertOneMessage(await perdure(['executions', 'lst']), 2, /no command "executions lst"/, /executions --help/)
  assertOneMessage(await perdure(['invoke', 'hello', '--wait']), 2, /unknown option '--wait'/, /invoke --help/)
  assertOneMessage(await perdure(['invoke', 'hello', '--payload', '{oops']), 2, /--payload is not JSON/, /--payload/)
  assertOneMessage(await perdure(['invoke', 'hello', '--payload', '@nowhere']), 1, /nowhere does not exist/, /path/)
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello:/durable-execution/a/b'
  assertOneMessage(await perdure(['executions', 'get', arn]), 2, /not the ARN of an execution/, /single quotes/)
})

test('a destination that cannot be reached', async (context) => {
  const folder = await temporaryFolder(context)
  const topic = 'arn:aws:sns:us-east-1:000000000000:t'
  for (const told of [{ events: [topic] }, { destinations: { 'arn:aws:sqs:*': topic } }]) {
    await writeFile(join(folder, 'perdure.config.json'), JSON.stringify({ functions: [], ...told }))
    for (const command of [
      ['start', '--memory', '--port', '0'],
      ['config', 'check'],
    ]) {
      const outcome = await perdure(command, { cwd: folder })
      assertOneMessage(outcome, 1, /is to go to arn:aws:sns:\S+, which is neither the URL of a webhook nor/, /webhook/)
    }
  }
})

test('config check says what start would say, and what is right', async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(
    join(folder, 'perdure.config.mjs'),
    `export default { functions: [{ name: 'gone', handler: './gone.ts' }] }`,
  )
  assertOneMessage(await perdure(['config', 'check'], { cwd: folder }), 1, /"gone": there is no file/, /path/)
  await writeFile(join(folder, 'gone.mjs'), 'export const handler = async () => 1\n')
  await writeFile(join(folder, 'good.yaml'), 'functions:\n  - { name: found, handler: ./gone.mjs }\n')
  const good = await perdure(['config', 'check', 'good.yaml', '-o', 'ndjson'], { cwd: folder })
  assert.equal(good.code, 0, good.err)
  assert.match(good.err, /good\.yaml is right: 1 function\n$/)
  assert.equal((JSON.parse(good.out) as { FunctionName: string }).FunctionName, 'found')
  assertOneMessage(
    await perdure(['config', 'check', 'nowhere.yaml'], { cwd: folder }),
    1,
    /does not exist/,
    /--config|path/,
  )
})

test('status of no server is exit code 1', async (context) => {
  const outcome = await perdure(['status', '--endpoint', `http://127.0.0.1:${await foreignPort(context)}`])
  assertOneMessage(outcome, 1, /does not answer like a Perdure server/, /--endpoint/)
})

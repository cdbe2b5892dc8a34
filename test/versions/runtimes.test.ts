/** Functions in other languages: how they are started, what they are told, how they fail, what is missing. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import {
  CreateFunctionCommand,
  LambdaClient,
  type Runtime,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { createPrograms } from '../../src/functions/runtimes/programs.ts'
import { missingRuntime } from '../../src/functions/runtimes/runtimes.ts'
import { gone } from '../functions/living-process.ts'
import { project } from '../functions/project.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { type Files, packageOf } from './registered.ts'
import { type Serving, serveRegistered } from './serving.ts'

async function serveOne(t: TestContext, files: Files, config: Parameters<Serving['registered']['create']>[2]) {
  const serving = await serveRegistered(t)
  serving.registered.create('f', files, config)
  return serving
}

/** The error of an invocation that must fail by the function's fault. */
async function failureOf({ invoke }: Serving, event: unknown = {}): Promise<Record<string, unknown>> {
  const result = await invoke('f', undefined, event)
  assert.equal(result.kind, 'error', JSON.stringify(result))
  return JSON.parse(result.body) as Record<string, unknown>
}

// ------------------------------------------------------------------------------------------------------------ Node

const node = (handler: string) => ({ Runtime: 'nodejs22.x', Handler: handler }) as const

test('Node: CommonJS with its own packages, also where a project of modules lies around', async (t) => {
  const data = project(t, { 'package.json': '{"type":"module"}' })
  const { registered, answer } = await serveRegistered(t, { dataDirectory: data })
  registered.create('f', {
    'index.js': `exports.handler = async () => require('greeting').hello('you')`,
    'node_modules/greeting/package.json': '{"name":"greeting","main":"main.js"}',
    'node_modules/greeting/main.js': "exports.hello = (name) => 'hello ' + name",
  })
  assert.equal(await answer('f'), 'hello you')
})

test('Node: a module in a folder, an export of an object, .cjs', async (t) => {
  const { registered, answer } = await serveRegistered(t)
  const orders = 'exports.orders = { run: async () => "orders" }'
  registered.create('f', { 'dist/src/app.cjs': orders }, node('dist/src/app.orders.run'))
  registered.create(
    'g',
    {
      'package.json': '{"type":"module"}',
      'a.js': "import { b } from './b.js'; export const go = async () => b",
      'b.js': "export const b = 'b'",
    },
    node('a.go'),
  )
  assert.equal(await answer('f'), 'orders')
  assert.equal(await answer('g'), 'b')
})

const brokenNode: readonly {
  readonly why: string
  readonly files: Files
  readonly handler: string
  readonly type: string
}[] = [
  { why: 'no such module', files: { 'a.js': '' }, handler: 'index.handler', type: 'Runtime.ImportModuleError' },
  {
    why: 'no such export',
    files: { 'index.mjs': 'export {}' },
    handler: 'index.handler',
    type: 'Runtime.HandlerNotFound',
  },
  {
    why: 'a syntax error',
    files: { 'index.mjs': 'export const' },
    handler: 'index.handler',
    type: 'Runtime.UserCodeSyntaxError',
  },
  {
    why: 'a handler without an export',
    files: { 'index.mjs': '' },
    handler: 'index',
    type: 'Runtime.MalformedHandlerName',
  },
  {
    why: 'a handler that leads upward',
    files: { 'index.mjs': '' },
    handler: '../x.handler',
    type: 'Runtime.MalformedHandlerName',
  },
]
for (const { why, files, handler, type } of brokenNode) {
  test(`Node: ${why}`, async (t) => {
    assert.equal((await failureOf(await serveOne(t, files, node(handler))))['errorType'], type)
  })
}

// -------------------------------------------------------------------------------------------------------- provided

const provided = { Runtime: 'provided.al2023', Handler: 'whatever' } as const

/** A runtime of its own, started by its first line. */
const scriptBootstrap = `#!${process.execPath}
const http = require('node:http')
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const call = (method, path, body) => new Promise((resolve, reject) => {
  const request = http.request({ hostname, port, method, path: '/2018-06-01/runtime/' + path }, (response) => {
    let text = ''
    response.on('data', (part) => { text += part }).on('end', () => resolve({ headers: response.headers, text }))
  })
  request.on('error', reject).end(body)
})
const serve = async () => {
  const { headers, text } = await call('GET', 'invocation/next')
  const id = headers['lambda-runtime-aws-request-id']
  const event = JSON.parse(text)
  if (event.hang) return
  if (event.exit) process.exit(event.exit)
  if (event.fail) await call('POST', 'invocation/' + id + '/error', JSON.stringify({ errorType: 'Custom', errorMessage: 'on purpose' }))
  else await call('POST', 'invocation/' + id + '/response', JSON.stringify({ event, pid: process.pid, handler: process.env._HANDLER, env: process.env.AWS_EXECUTION_ENV ?? null }))
  await serve()
}
setInterval(() => {}, 1_000)
serve()
`

test('provided: an executable of the package is the runtime', async (t) => {
  const serving = await serveOne(t, { bootstrap: scriptBootstrap }, { ...provided, Timeout: 2 })
  const first = (await serving.answer('f', undefined, { n: 1 })) as Record<string, unknown>
  const { pid } = first
  assert.deepEqual(first, { event: { n: 1 }, pid, handler: 'whatever', env: null })
  assert.equal((await failureOf(serving, { fail: true }))['errorMessage'], 'on purpose')
  const second = (await serving.answer('f', undefined, { n: 2 })) as Record<string, unknown>
  assert.equal(second['pid'], pid, 'the process serves one event after another')
  assert.equal((await failureOf(serving, { exit: 3 }))['errorType'], 'Runtime.ExitError')
  const third = (await serving.answer('f')) as { readonly pid: number }
  assert.notEqual(third.pid, pid, 'a process that ended is replaced')
  assert.equal((await failureOf(serving, { hang: true }))['errorType'], 'Sandbox.Timedout')
  await gone(third.pid)
})

const brokenProvided: readonly { readonly why: string; readonly files: Files; readonly message: RegExp }[] = [
  {
    why: 'no bootstrap',
    files: { 'main.sh': '#!/bin/sh' },
    message: /Couldn't find valid bootstrap\(s\): \[.*bootstrap\]/,
  },
  { why: 'a bootstrap that is not executable', files: { bootstrap: 'echo' }, message: /permission denied/ },
  {
    why: 'a bootstrap for an interpreter that is not there',
    files: { bootstrap: '#!/nowhere/sh\n' },
    message: /no such file/,
  },
]
for (const { why, files, message } of brokenProvided) {
  test(`provided: ${why}`, async (t) => {
    const failure = await failureOf(await serveOne(t, files, provided))
    assert.equal(failure['errorType'], 'Runtime.InvalidEntrypoint')
    assert.match(String(failure['errorMessage']), message)
  })
}

// ---------------------------------------------------------------------------------------------------------- Python

const noPython = !has('python3', '--version') && 'there is no Python on this machine'
const python = { Runtime: 'python3.13', Handler: 'app.handler' } as const

test('Python: a handler with a package beside it, its context and its log', { skip: noPython }, async (t) => {
  const serving = await serveOne(
    t,
    {
      'src/app.py': `
import logging
import os
from lib.greeting import hello

logging.getLogger().setLevel(logging.INFO)

def handler(event, context):
    print("printed")
    logging.info("logged %s", event["name"])
    return {
        "greeting": hello(event["name"]),
        "function": context.function_name,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "remaining": 0 < context.get_remaining_time_in_millis() <= 10000,
        "runtime": os.environ["AWS_EXECUTION_ENV"],
        "pid": os.getpid(),
    }
`,
      'lib/__init__.py': '',
      'lib/greeting.py': 'def hello(name):\n    return "grüß dich, " + name\n',
    },
    { ...python, Handler: 'src/app.handler' },
  )
  const result = await serving.invoke('f', undefined, { name: 'Ada' })
  assert.equal(result.kind, 'response', JSON.stringify(result))
  const { pid, ...answer } = JSON.parse(Buffer.from(result.body).toString()) as Record<string, unknown>
  assert.deepEqual(answer, {
    greeting: 'grüß dich, Ada',
    function: 'f',
    version: '$LATEST',
    arn: serving.version('f').arn,
    remaining: true,
    runtime: 'AWS_Lambda_python3.13',
  })
  assert.match(result.logTail, /^START .*\n.*printed\n\[INFO\]\t\S+Z\t\S+\tlogged Ada\nEND /s)
  const again = (await serving.answer('f', undefined, { name: 'Ada' })) as { readonly pid: number }
  assert.equal(again.pid, pid)
})

test('Python: what a handler raises, and what it returns that is no JSON', { skip: noPython }, async (t) => {
  const serving = await serveOne(
    t,
    {
      'app.py': `
import decimal, os, sys
class Broken(ValueError):
    pass
def handler(event, context):
    if event["how"] == "raise":
        raise Broken("no such order")
    if event["how"] == "set":
        return {1, 2}
    if event["how"] == "decimal":
        return decimal.Decimal("1.5")
    if event["how"] == "nothing":
        return None
    sys.exit(7)
`,
    },
    python,
  )
  const { requestId, ...raised } = await failureOf(serving, { how: 'raise' })
  assert.match(String(requestId), /^[0-9a-f-]{36}$/)
  assert.equal(raised['errorType'], 'Broken')
  assert.equal(raised['errorMessage'], 'no such order')
  assert.match(String((raised['stackTrace'] as string[])[0]), /^ {2}File ".*app\.py", line 7, in handler\n/)
  assert.equal((raised['stackTrace'] as string[]).length, 1)
  const unmarshalled = await failureOf(serving, { how: 'set' })
  assert.equal(unmarshalled['errorType'], 'Runtime.MarshalError')
  assert.match(String(unmarshalled['errorMessage']), /^Unable to marshal response: Object of type set is not JSON/)
  assert.equal(await serving.answer('f', undefined, { how: 'decimal' }), 1.5)
  assert.equal(await serving.answer('f', undefined, { how: 'nothing' }), null)
  const ended = await failureOf(serving, { how: 'exit' })
  assert.match(String(ended['errorMessage']), /Runtime exited with error: exit status 7$/)
})

const brokenPython: readonly {
  readonly why: string
  readonly files: Files
  readonly handler: string
  readonly type: string
  readonly message: RegExp
}[] = [
  {
    why: 'no such module',
    files: { 'a.py': '' },
    handler: 'app.handler',
    type: 'Runtime.ImportModuleError',
    message: /^Unable to import module 'app': No module named 'app'$/,
  },
  {
    why: 'a module that lacks a package',
    files: { 'app.py': 'import nowhere' },
    handler: 'app.handler',
    type: 'Runtime.ImportModuleError',
    message: /No module named 'nowhere'/,
  },
  {
    why: 'no such function',
    files: { 'app.py': '' },
    handler: 'app.handler',
    type: 'Runtime.HandlerNotFound',
    message: /^Handler 'handler' missing on module 'app'$/,
  },
  {
    why: 'a syntax error',
    files: { 'app.py': 'def' },
    handler: 'app.handler',
    type: 'Runtime.UserCodeSyntaxError',
    message: /^Syntax error in module 'app': /,
  },
  {
    why: 'a handler without a function',
    files: { 'app.py': '' },
    handler: 'app',
    type: 'Runtime.MalformedHandlerName',
    message: /^Bad handler 'app': /,
  },
  {
    why: 'a module that fails',
    files: { 'app.py': 'raise RuntimeError("too early")' },
    handler: 'app.handler',
    type: 'RuntimeError',
    message: /^too early$/,
  },
]
for (const { why, files, handler, type, message } of brokenPython) {
  test(`Python: ${why}`, { skip: noPython }, async (t) => {
    const failure = await failureOf(await serveOne(t, files, { ...python, Handler: handler }))
    assert.equal(failure['errorType'], type)
    assert.match(String(failure['errorMessage']), message)
  })
}

test('Python: a handler that exceeds its time ends with all that it started', { skip: noPython }, async (t) => {
  const root = project(t, {})
  const file = join(root, 'pid')
  const serving = await serveOne(
    t,
    {
      'app.py': `import subprocess\ndef handler(event, context):\n    child = subprocess.Popen(["sleep", "600"])\n    open(event["file"], "w").write(str(child.pid))\n    child.wait()\n`,
    },
    { ...python, Timeout: 1 },
  )
  assert.equal((await failureOf(serving, { file }))['errorType'], 'Sandbox.Timedout')
  await gone(Number(readFileSync(file, 'utf8')))
})

test('Python: a handler that takes more memory than it has is killed', { skip: noPython }, async (t) => {
  const serving = await serveOne(
    t,
    {
      'app.py': `
import time
def handler(event, context):
    if event["greedy"]:
        taken = bytearray(b"x" * 200_000_000)
        time.sleep(8)
    return "modest"
`,
    },
    { ...python, MemorySize: 128 },
  )
  const failure = await failureOf(serving, { greedy: true })
  assert.match(String(failure['errorMessage']), /Runtime exited with error: signal: killed$/)
  assert.equal(await serving.answer('f', undefined, { greedy: false }), 'modest')
})

test('Python: the official client is used where the interpreter has it', { skip: noPython }, async (t) => {
  const root = project(t, {
    'awslambdaric/__init__.py': '',
    'awslambdaric/bootstrap.py': '',
    'awslambdaric/__main__.py': `
import http.client, os, sys
while True:
    c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    c.request("GET", "/2018-06-01/runtime/invocation/next")
    r = c.getresponse(); r.read()
    c.request("POST", "/2018-06-01/runtime/invocation/%s/response" % r.headers["Lambda-Runtime-Aws-Request-Id"], '"official %s"' % sys.argv[1])
    c.getresponse().read()
`,
  })
  const interpreter = join(root, 'python-with-client')
  writeFileSync(
    interpreter,
    `#!/bin/sh\nexport PYTHONPATH="$PYTHONPATH:${root}"\nif [ "$1" = -c ]; then exec python3 -c "import sys; sys.executable = '${interpreter}'; exec(sys.argv[1])" "$2"; fi\nexec python3 "$@"\n`,
  )
  chmodSync(interpreter, 0o755)
  const serving = await serveRegistered(t, { runtimes: { python: interpreter } })
  serving.registered.create('f', { 'app.py': '' }, python)
  assert.equal(await serving.answer('f'), 'official app.handler')
})

// ------------------------------------------------------------------------------------------------------ what is missing

test('what is missing for a runtime is named', async () => {
  const nothing = createPrograms({ python: '/nowhere/python3', java: '/nowhere/java' })
  assert.equal(await missingRuntime('nodejs22.x', nothing), undefined)
  assert.equal(await missingRuntime('provided.al2023', nothing), undefined)
  assert.match(String(await missingRuntime('python3.13', nothing)), /python3\.13 .*Install Python 3\.13\.$/)
  assert.match(String(await missingRuntime('java21', nothing)), /Java.*Install a JDK or JRE of version 21 or later\.$/)
  assert.match(String(await missingRuntime('ruby3.3', nothing)), /does not run ruby3\.3/)
})

test('a Java that is too old is named', async (t) => {
  const root = project(t, { java: '#!/bin/sh\necho \'openjdk version "1.8.0_402"\' >&2\n' })
  chmodSync(join(root, 'java'), 0o755)
  const old = createPrograms({ java: join(root, 'java') })
  assert.match(String(await missingRuntime('java21', old)), /needs Java 21, and the server finds version 8/)
  assert.equal(await missingRuntime('java8.al2', old), undefined)
})

test('a function whose runtime has gone says what to install', async (t) => {
  const serving = await serveRegistered(t, { runtimes: { python: '/nowhere/python3' } })
  serving.registered.create('f', { 'app.py': '' }, python)
  const failure = await failureOf(serving)
  assert.equal(failure['errorType'], 'Runtime.InvalidEntrypoint')
  assert.match(String(failure['errorMessage']), /Install Python 3\.13/)
})

test('Java: a package without the runtime interface client says so', {
  skip: !has('java', '-version') && 'there is no Java on this machine',
}, async (t) => {
  const failure = await failureOf(await serveOne(t, { 'A.class': '' }, { Runtime: 'java8.al2', Handler: 'A::run' }))
  assert.equal(failure['errorType'], 'Runtime.InvalidEntrypoint')
  assert.match(String(failure['errorMessage']), /aws-lambda-java-runtime-interface-client/)
})

function has(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('creating a function whose runtime is missing is refused with what to install', async (t) => {
  const server = await startPerdureProcess({
    data: { kind: 'memory' },
    functions: [],
    log: { level: 'error' },
    runtimes: { python: '/no/python3' },
  })
  t.after(() => server.kill())
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new LambdaClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  const creation = (FunctionName: string, Runtime: Runtime) =>
    new CreateFunctionCommand({
      FunctionName,
      Role: 'arn:aws:iam::000000000000:role/any',
      Runtime,
      Handler: 'app.handler',
      Code: { ZipFile: packageOf({ 'app.mjs': 'export const handler = async () => 1' }) },
    })
  await assert.rejects(client.send(creation('snake', 'python3.13')), {
    name: 'InvalidParameterValueException',
    message: /Install Python 3\.13\.$/,
  })
  await assert.rejects(client.send(creation('gem', 'ruby3.4')), { message: /does not run ruby3\.4/ })
  await client.send(creation('app', 'nodejs24.x'))
  const Environment = { Variables: { STAGE: 'test', AWS_EXECUTION_ENV: 'other', LAMBDA_TASK_ROOT: '/' } }
  const reserved = new UpdateFunctionConfigurationCommand({ FunctionName: 'app', Environment })
  await assert.rejects(client.send(reserved), { message: /reserved keys .*: AWS_EXECUTION_ENV, LAMBDA_TASK_ROOT$/ })
  const change = new UpdateFunctionConfigurationCommand({ FunctionName: 'app', Runtime: 'python3.12' })
  await assert.rejects(client.send(change), { message: /Install Python 3\.12\.$/ })
})

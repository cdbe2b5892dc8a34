/**
 * Walks through `docs/getting-started.md` as its reader does: every command of the page, in its order, in a shell with
 * the alias that the page tells, in a folder of the reader's own. What differs is said where it differs: packages are
 * linked instead of downloaded, and the server has a port that is free.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { running } from '../cli/program.ts'
import { eventually } from '../tables/eventually.ts'
import { buildPerdure, folder, freePort, installPackages, type Outcome, run } from './installed.ts'
import { type CodeBlock, readPage, root } from './markdown.ts'

const page = readPage('docs/getting-started.md')
const commands = page.blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.trimEnd().split('\n'))

class Reader {
  readonly #context: TestContext
  readonly #project: string
  readonly #port: number
  readonly #environment: Record<string, string> = {}
  #server: { readonly pid: number; readonly end: (signal?: NodeJS.Signals) => Promise<number | null> } | undefined
  #alias = ''
  #perdure: string | undefined
  callbackId = ''

  constructor(context: TestContext, project: string, port: number) {
    this.#context = context
    this.#project = project
    this.#port = port
    this.#environment['PERDURE_ENDPOINT'] = `http://127.0.0.1:${port}`
  }

  /** In a shell of its own, which knows the alias. */
  async shell(command: string): Promise<Outcome> {
    const line = command.replace('<callback id>', this.callbackId).replace('127.0.0.1:7077', `127.0.0.1:${this.#port}`)
    const script = `shopt -s expand_aliases\ncd "$CLONE"\n${this.#alias}\ncd "$PROJECT"\n${line}\n`
    const env = { ...process.env, ...this.#environment, CLONE: root, PROJECT: this.#project }
    return await run('bash', ['-c', script], this.#project, env)
  }

  async succeeds(command: string): Promise<string> {
    const { code, out } = await this.shell(command)
    assert.equal(code, 0, `${command}\n${out}`)
    return out
  }

  alias(command: string): void {
    this.#alias = command
  }

  environment(command: string): void {
    for (const [, name = '', value = ''] of command.matchAll(/(\w+)=(\S+)/g)) {
      this.#environment[name] = value.replace('127.0.0.1:7077', `127.0.0.1:${this.#port}`)
    }
  }

  /** `perdure dev …` or `perdure start`, "in another terminal". */
  async serve(command: string): Promise<void> {
    await this.endServer()
    const [, ...args] = command.split(' ')
    const server = running(this.#context, [...args, '--port', String(this.#port), '--json'], { cwd: this.#project })
    const first = await server.outLine().catch(async () => assert.fail(`no server: ${await server.errLine()}`))
    const { pid } = JSON.parse(first) as { pid: number }
    this.#server = { pid, end: server.end }
  }

  async endServer(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.end(signal)
  }

  async write(name: string, change: (text: string) => string = (text) => text): Promise<void> {
    const block: CodeBlock = page.blocks.find(({ file }) => file === name) ?? assert.fail(`${name} is not in the page`)
    await writeFile(join(this.#project, name), change(block.text))
  }

  async install(withPerdure: boolean): Promise<void> {
    if (withPerdure) this.#perdure ??= await buildPerdure(this.#context)
    await installPackages(this.#project, this.#perdure)
  }

  /** The function has come to its callback. */
  async findCallback(command: string): Promise<void> {
    this.callbackId = await eventually('the callback in the history', async () => {
      const { out } = await this.shell(command)
      return /callback id ([A-Za-z0-9+/]+=*)(?![\w…])/.exec(out)?.[1]
    })
  }
}

type Step = readonly [command: string, does: (reader: Reader, command: string) => Promise<void>]

const nothing = async () => {}

const walk: readonly Step[] = [
  ['npm ci', nothing], // these tests run because somebody did
  [
    `alias perdure="node $PWD/tools/pinned-node/run.mjs src/cli/main.ts"`,
    async (reader, command) => {
      reader.alias(command)
      assert.match(await reader.succeeds('perdure --help'), /perdure <command>/)
    },
  ],
  ['npm init --yes', async (reader, command) => void (await reader.succeeds(command))],
  ['npm pkg set type=module', async (reader, command) => void (await reader.succeeds(command))],
  [
    'npm install @aws/durable-execution-sdk-js@2',
    async (reader) => {
      await reader.install(false)
      await reader.write('approval.ts')
    },
  ],
  ['perdure dev approval.ts', (reader, command) => reader.serve(command)],
  [
    `perdure invoke approval --event --name first --payload '{"title": "On Patience"}'`,
    async (reader, command) => assert.match(await reader.succeeds(command), /durable-execution\/first\//),
  ],
  [
    'perdure executions list',
    async (reader, command) => assert.match(await reader.succeeds(command), /first +RUNNING/),
  ],
  [
    'perdure executions history approval/first',
    async (reader, command) => assert.match(await reader.succeeds(command), /ExecutionStarted/),
  ],
  [
    'perdure executions history approval/first --full | grep CallbackStarted',
    (reader, command) => reader.findCallback(command),
  ],
  [
    'perdure callbacks succeed <callback id> --result Grace',
    async (reader, command) => void (await reader.succeeds(command)),
  ],
  [
    `perdure invoke approval --name first --payload '{"title": "On Patience"}'`,
    async (reader, command) => {
      const told = `"\\"On Patience\\", reviewed by Grace"`
      assert.ok(page.text.includes(`\`${told}\``), 'the page tells another result')
      assert.ok((await reader.succeeds(command)).includes(told))
    },
  ],
  [
    `perdure invoke approval --event --name second --payload '{"title": "On Endings"}'`,
    async (reader, command) => {
      await reader.succeeds(command)
      await reader.findCallback('perdure executions history approval/second --full | grep CallbackStarted')
      await reader.endServer('SIGKILL')
      await reader.serve('perdure dev approval.ts')
      await reader.succeeds('perdure callbacks succeed <callback id> --result Heidi')
      const result = await reader.succeeds(`perdure invoke approval --name second --payload '{"title": "On Endings"}'`)
      assert.match(result, /reviewed by Heidi/)
      const history = await reader.succeeds('perdure executions history approval/second --full')
      assert.equal(history.match(/StepStarted +write/g)?.length, 1, history)
    },
  ],
  [
    'perdure start',
    async (reader, command) => {
      await reader.write('perdure.config.ts')
      await reader.write('approval.ts', (text) => text.replace('{ seconds: 5 }', '{ days: 14 }'))
      await reader.serve(command)
      const refused = await reader.shell(`perdure invoke approval --payload '{"title": "On Waiting"}'`)
      assert.match(refused.out, /executionTimeout greater than 15 minutes/)
    },
  ],
  ['npm run build', nothing], // into a folder of the test's own, with the next command
  ['npm install --save-dev <path of the clone> @aws-sdk/client-lambda', (reader) => reader.install(true)],
  [
    '<path of the clone>/node_modules/.bin/node --test',
    async (reader, command) => {
      await reader.write('approval.test.ts')
      const out = await reader.succeeds(command.replace('<path of the clone>', root))
      assert.match(out, /pass 1/)
    },
  ],
  ['export AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:7077', async (reader, command) => reader.environment(command)],
  ['export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1', async (reader, command) => reader.environment(command)],
  ['export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any', async (reader, command) => reader.environment(command)],
  [`echo '{"title": "On Tools"}' > input.json`, async (reader, command) => void (await reader.succeeds(command))],
  [
    "aws lambda invoke --function-name 'approval:$LATEST' --invocation-type Event --payload fileb://input.json output.json",
    async (reader, command) => {
      if (!(await hasAwsCli(reader))) return
      const out = await reader.succeeds(command)
      const name = /durable-execution\/([\w-]+)\//.exec(out)?.[1] ?? assert.fail(out)
      await reader.findCallback(`perdure executions history approval/${name} --full | grep CallbackStarted`)
    },
  ],
  ['echo Grace > result.txt', async (reader, command) => void (await reader.succeeds(command))],
  [
    'aws lambda send-durable-execution-callback-success --callback-id <callback id> --result fileb://result.txt',
    async (reader, command) => {
      if (await hasAwsCli(reader)) await reader.succeeds(command)
    },
  ],
]

/** The one tool that the page uses and that these tests cannot bring along. */
async function hasAwsCli(reader: Reader): Promise<boolean> {
  const { code } = await reader.shell('aws lambda send-durable-execution-callback-success help')
  return code === 0
}

test('getting started', async (context) => {
  const project = await folder(context)
  const reader = new Reader(context, project, await freePort())
  assert.deepEqual(
    commands,
    walk.map(([command]) => command),
  )
  for (const [command, does] of walk) await context.test(command, () => does(reader, command))
  await reader.endServer()
  assert.match(await readFile(join(project, 'package.json'), 'utf8'), /"type": "module"/)
})

/**
 * The unit file of `docs/guides/one-server.md` and the commands of `docs/guides/backup.md`, run as they stand there. Only
 * their places are moved: into folders of the test's own, and to a port that is free.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda'
import { eventually } from '../tables/eventually.ts'
import { buildPerdure, folder, freePort, installPackages, run } from './installed.ts'
import { readPage, root } from './markdown.ts'

const perdure = await buildPerdure({ after })
const unit = await readFile(join(root, 'docs', 'guides', 'perdure.service'), 'utf8')
const setting = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? assert.fail(`no ${key}`)

/** The machine of the guides: `/opt/perdure`, `/srv/functions`, `/var/lib/perdure`, `/var/backups/perdure`. */
class Machine {
  readonly #places: ReadonlyMap<string, string>
  readonly #context: TestContext
  readonly lambda: LambdaClient
  readonly data: string
  readonly backups: string
  readonly endpoint: string

  static async install(context: TestContext): Promise<Machine> {
    const [functions, data, backups, port] = [
      await folder(context),
      await folder(context),
      await folder(context),
      await freePort(),
    ]
    await installPackages(functions)
    for (const { file, text } of readPage('docs/getting-started.md').blocks) {
      if (file === 'approval.ts' || file === 'perdure.config.ts') await writeFile(join(functions, file), text)
    }
    return new Machine(context, { functions, data, backups, port })
  }

  private constructor(context: TestContext, at: { functions: string; data: string; backups: string; port: number }) {
    this.#context = context
    this.data = at.data
    this.backups = at.backups
    this.endpoint = `http://127.0.0.1:${at.port}`
    this.#places = new Map([
      ['/var/backups/perdure', at.backups],
      ['/var/lib/perdure', at.data],
      ['/srv/functions', at.functions],
      ['/opt/perdure', perdure],
      ['--port 7077', `--port ${at.port}`],
      ['127.0.0.1:7077', `127.0.0.1:${at.port}`],
    ])
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    this.lambda = new LambdaClient({ endpoint: this.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
    context.after(() => this.lambda.destroy())
  }

  here(text: string): string {
    let moved = text
    for (const [place, ours] of this.#places) moved = moved.replaceAll(place, ours)
    return moved
  }

  /** What systemd does: the line of the unit, without a shell, in its working directory. */
  async start() {
    const [program = '', ...args] = this.here(setting('ExecStart')).split(' ')
    const cwd = this.here(setting('WorkingDirectory'))
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    this.#context.after(() => child.kill('SIGKILL'))
    await Promise.race([
      this.untilReady(),
      ended.then(([code]) => assert.fail(`the server ended with ${code} before it was ready`)),
    ])
    return {
      async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
        child.kill(signal)
        await ended
        return child.exitCode
      },
    }
  }

  /** The command of the guide that asks whether it is well. */
  async untilReady(): Promise<void> {
    const page = readPage('docs/guides/one-server.md')
    const asked = page.blocks.flatMap(({ text }) => text.split('\n')).find((line) => line.startsWith('curl'))
    const [program = '', ...args] = this.here(asked ?? assert.fail('the guide asks nothing')).split(' ')
    await eventually('a server that is ready', async () => {
      const { code } = await run(program, args, root)
      return code === 0 ? true : undefined
    })
  }

  /** Runs one line of the page on backups. */
  async backUp(start: string): Promise<void> {
    const lines = readPage('docs/guides/backup.md').blocks.flatMap(({ text }) => text.split('\n'))
    const line = lines.find((each) => each.startsWith(start)) ?? assert.fail(`the guide has no line ${start}…`)
    const { code, out } = await run('bash', ['-c', this.here(line)], root)
    assert.equal(code, 0, `${line}\n${out}`)
  }

  async startExecution(DurableExecutionName: string): Promise<string> {
    const request = { FunctionName: 'approval:$LATEST', InvocationType: 'Event', DurableExecutionName } as const
    const Payload = JSON.stringify({ title: DurableExecutionName })
    const { DurableExecutionArn } = await this.lambda.send(new InvokeCommand({ ...request, Payload }))
    return DurableExecutionArn ?? assert.fail('no ARN')
  }

  async callbackOf(DurableExecutionArn: string): Promise<string> {
    return await eventually('the callback', async () => {
      const { Events } = await this.lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }))
      return Events?.flatMap(({ CallbackStartedDetails }) => CallbackStartedDetails?.CallbackId ?? [])[0]
    })
  }

  async complete(DurableExecutionArn: string): Promise<void> {
    const CallbackId = await this.callbackOf(DurableExecutionArn)
    const Result = Buffer.from('Grace')
    await this.lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result }))
    const ended = await eventually('the end', async () => {
      const execution = await this.lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
      return execution.Status === 'RUNNING' ? undefined : execution
    })
    assert.equal(ended.Status, 'SUCCEEDED', JSON.stringify(ended.Error))
  }
}

test('the unit has no mistake that systemd finds', async (context) => {
  const machine = await Machine.install(context)
  const place = await folder(context)
  // Users and folders of the guide are not on this machine; the rest is as it is.
  const ours = machine.here(unit).replace(/^(User|Group)=.*$/gm, '$1=root')
  const file = join(place, 'perdure.service')
  await writeFile(file, ours)
  const verified = await run('systemd-analyze', ['verify', file], place).catch(() => undefined)
  if (verified === undefined) return context.skip('systemd is not on this machine')
  const complaints = verified.out.split('\n').filter((line) => line.includes('perdure.service'))
  assert.deepEqual(complaints, [])
})

test('the unit starts a server that stops with grace and goes on where it was', async (context) => {
  const machine = await Machine.install(context)
  const first = await machine.start()
  const arn = await machine.startExecution('restart')
  await machine.callbackOf(arn)
  assert.equal(await first.stop(), 0)
  const folders = await readdir(machine.data)
  for (const name of ['journal.db', 'logs', 'code', 'processes', 'lock.db']) assert.ok(folders.includes(name), name)

  // The guide: all but the journal may be removed while the server is stopped.
  for (const name of folders) {
    if (!name.startsWith('journal.db')) await rm(join(machine.data, name), { recursive: true })
  }
  const second = await machine.start()
  await machine.complete(arn)
  assert.equal(await second.stop('SIGKILL'), null)
  const third = await machine.start()
  const { Status } = await machine.lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn }))
  assert.equal(Status, 'SUCCEEDED')
  assert.equal(await third.stop(), 0)
})

for (const { title, start } of [
  { title: 'sqlite3', start: 'sqlite3 /var/lib/perdure/journal.db "VACUUM INTO' },
  { title: 'the Node.js that came with Perdure', start: '/opt/perdure/node_modules/.bin/node --eval' },
]) {
  test(`a backup that ${title} makes while the server works can be restored`, async (context) => {
    if (title === 'sqlite3' && (await run('sqlite3', ['--version'], root).catch(() => undefined)) === undefined) {
      return context.skip('sqlite3 is not on this machine')
    }
    const machine = await Machine.install(context)
    const server = await machine.start()
    const before = await machine.startExecution('before')
    await machine.callbackOf(before)

    // Executions begin all the while; what was answered before the copy began must be in it.
    const certain = [before, await machine.startExecution('certain')]
    const working = new AbortController()
    const work = (async () => {
      for (let number = 1; !working.signal.aborted; number++) await machine.startExecution(`meanwhile-${number}`)
    })()
    await machine.backUp(start).finally(() => working.abort())
    await work
    const late = await machine.startExecution('late')
    assert.equal(await server.stop(), 0)

    await rm(machine.data, { recursive: true })
    await mkdir(machine.data)
    if (title === 'sqlite3') await machine.backUp('sqlite3 /var/backups/perdure/journal.db "PRAGMA integrity_check"')
    await machine.backUp('cp /var/backups/perdure/journal.db')
    const restored = await machine.start()
    await machine.complete(before)
    for (const DurableExecutionArn of certain) {
      await machine.lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
    }
    await assert.rejects(machine.lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: late })), {
      name: 'ResourceNotFoundException',
    })
    assert.equal(await restored.stop(), 0)
  })
}

test('a copy of the folder while the server is stopped can be restored', async (context) => {
  const machine = await Machine.install(context)
  const server = await machine.start()
  const arn = await machine.startExecution('stopped')
  await machine.callbackOf(arn)
  assert.equal(await server.stop(), 0)
  await machine.backUp('cp -r /var/lib/perdure')
  await rm(machine.data, { recursive: true })
  await mkdir(machine.data)
  await copyFile(join(machine.backups, 'folder', 'journal.db'), join(machine.data, 'journal.db'))
  const restored = await machine.start()
  await machine.complete(arn)
  assert.equal(await restored.stop(), 0)
})

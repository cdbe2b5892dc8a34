/** The server under attack, in a process of its own on SQLite, with what the attacks are about and who works meanwhile. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import { okBody, type WireAnswer, WireClient } from '../tables/wire.ts'
import type { Target } from './attack.ts'
import { LIMITS } from './oracle.ts'

const API = '/2025-12-01/durable-executions'
const here = import.meta.dirname

export class Scene {
  readonly target: Target
  readonly folder: string
  readonly #server: PerdureProcess
  readonly #puppets: Puppeteer
  readonly #wire: WireClient
  readonly #stderr: string[]

  private constructor(parts: {
    target: Target
    folder: string
    server: PerdureProcess
    puppets: Puppeteer
    wire: WireClient
    stderr: string[]
  }) {
    this.target = parts.target
    this.folder = parts.folder
    this.#server = parts.server
    this.#puppets = parts.puppets
    this.#wire = parts.wire
    this.#stderr = parts.stderr
  }

  static async open(): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-hostile-'))
    const puppets = await Puppeteer.open()
    const stderr: string[] = []
    const functions = join(here, 'functions.ts')
    const rogues = join(here, 'rogue-functions.ts')
    const server = await startPerdureProcess(
      {
        data: join(folder, 'data'),
        limits: { ...LIMITS, invocationRetryFirstMs: 10, invocationRetryGiveUpMs: 1 },
        functions: [
          {
            name: 'victim',
            file: join(here, '..', 'tables', 'puppet.mjs'),
            durable: { ExecutionTimeout: 900 },
            environment: { PUPPETEER: puppets.address },
          },
          { name: 'honest', exportName: 'honest', file: functions, concurrency: 4 },
          { name: 'canary', exportName: 'canary', file: functions, durable: { ExecutionTimeout: 60 } },
          { name: 'rogue', exportName: 'rogue', file: rogues, timeout: 10, concurrency: 1, durable: false },
          {
            name: 'liar',
            exportName: 'liar',
            file: rogues,
            timeout: 5,
            concurrency: 1,
            durable: { ExecutionTimeout: 60 },
          },
        ],
      },
      (text) => stderr.push(text),
    )
    const wire = new WireClient(server.endpoint)
    const target = await makeTarget(wire, puppets, Number(new URL(server.endpoint).port))
    return new Scene({ target, folder, server, puppets, wire, stderr })
  }

  get pid(): number {
    return this.#server.pid
  }

  /** What the server wrote to its standard error: it has nothing to say there. */
  get stderr(): string {
    return this.#stderr.join('')
  }

  get(path: string): Promise<WireAnswer> {
    return this.#wire.send({ method: 'GET', path })
  }

  /** Waits for the end. */
  invoke(functionName: string, input: unknown): Promise<WireAnswer> {
    return this.#wire.send({
      method: 'POST',
      path: `/2015-03-31/functions/${functionName}/invocations`,
      body: JSON.stringify(input),
    })
  }

  /** Everything that can be read of the executions that nothing may happen to, as text. */
  async snapshot(): Promise<string> {
    const { arn, otherArn, token } = this.target
    const read = async (path: string): Promise<string> => JSON.stringify(okBody(await this.get(path)), null, 1)
    return (
      await Promise.all([
        ...[arn, otherArn].flatMap((one) => [
          read(`${API}/${encodeURIComponent(one)}?IncludeExecutionData=true`),
          read(`${API}/${encodeURIComponent(one)}/history?IncludeExecutionData=true`),
        ]),
        read(`${API}/${encodeURIComponent(arn)}/state?CheckpointToken=${token}`),
        read('/2025-12-01/functions/victim/durable-executions'),
        read('/2025-12-01/functions/canary/durable-executions'),
      ])
    ).join('\n')
  }

  /** The untouched execution's next checkpoint is accepted. */
  async goesOn(): Promise<boolean> {
    const { CheckpointToken } = await checkpoint(this.#wire, this.target.arn, this.target.token, [])
    return CheckpointToken !== this.target.token
  }

  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { text } = await this.get('/metrics')
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      samples.map((line) => {
        const space = line.lastIndexOf(' ')
        return [line.slice(0, space), Number(line.slice(space + 1))] as const
      }),
    )
  }

  async close(keepFolder: boolean): Promise<void> {
    this.#puppets.letGo()
    this.#wire.close()
    await this.#server.stop()
    this.#puppets.close()
    if (!keepFolder) await rm(this.folder, { recursive: true, force: true })
  }
}

interface Checkpointed {
  readonly CheckpointToken: string
  readonly NewExecutionState: {
    readonly Operations: readonly { readonly CallbackDetails?: { readonly CallbackId: string } }[]
  }
}

async function checkpoint(
  wire: WireClient,
  arn: string,
  CheckpointToken: string,
  Updates: readonly object[],
): Promise<Checkpointed> {
  const path = `${API}/${encodeURIComponent(arn)}/checkpoint`
  return okBody<Checkpointed>(
    await wire.send({ method: 'POST', path, body: JSON.stringify({ CheckpointToken, Updates }) }),
  )
}

async function makeTarget(wire: WireClient, puppets: Puppeteer, port: number): Promise<Target> {
  const start = async (name: string) => {
    const headers = { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name }
    const path = '/2015-03-31/functions/victim:$LATEST/invocations'
    const answer = await wire.send({ method: 'POST', path, headers, body: '{"n":1}' })
    assert.equal(answer.status, 202, answer.text)
    return (await puppets.nextOfExecution(name)).event
  }
  const victim = await start('untouched')
  const other = await start('other')
  const { DurableExecutionArn: arn, CheckpointToken: staleToken } = victim
  const opened = await checkpoint(wire, arn, staleToken, [{ Id: 'callback', Type: 'CALLBACK', Action: 'START' }])
  const callbackId = opened.NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId
  assert.ok(callbackId !== undefined, 'the victim waits for a callback')
  return {
    port,
    arn,
    token: opened.CheckpointToken,
    staleToken,
    callbackId,
    otherArn: other.DurableExecutionArn,
    otherToken: other.CheckpointToken,
  }
}

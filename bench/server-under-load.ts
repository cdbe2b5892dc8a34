/** A server under measurement, executions with open invocations on it, and rounds of load. Shared by the benchmarks. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { FromServer } from './checkpoint-server.ts'
import { Connection, quantile } from './load.ts'

export const PAYLOAD = JSON.stringify('x'.repeat(1_022))

export class Server {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  static async start(args: readonly string[], begun: (arn: string, token: string) => void): Promise<Server> {
    const process = fork(join(import.meta.dirname, 'checkpoint-server.ts'), args, {
      stdio: 'inherit',
      execArgv: ['--max-semi-space-size=64'],
    })
    process.on('message', (message: FromServer) => {
      if (message.kind === 'begun') begun(message.arn, message.token)
    })
    const { port } = await Server.#next(process, 'listening')
    return new Server(process, port)
  }

  /** CPU seconds that the process has used so far, all its threads. */
  async cpuSeconds(): Promise<number> {
    const { user, system } = await this.#usage()
    return (user + system) / 1e6
  }

  async rssMb(): Promise<number> {
    return (await this.#usage()).rssBytes / 1e6
  }

  #usage(): Promise<FromServer & { kind: 'usage' }> {
    this.#process.send('usage')
    return Server.#next(this.#process, 'usage')
  }

  stop(): void {
    this.#process.disconnect()
  }

  static #next<K extends FromServer['kind']>(process: ChildProcess, kind: K): Promise<FromServer & { kind: K }> {
    return new Promise((resolve) => {
      const look = (message: FromServer) => {
        if (message.kind !== kind) return
        process.off('message', look)
        resolve(message as FromServer & { kind: K })
      }
      process.on('message', look)
    })
  }
}

/** One execution with an open invocation, checkpointed over one connection. */
export class Lane {
  readonly #connection: Connection
  readonly #path: string
  #token: string
  #step = 0

  constructor(connection: Connection, arn: string, token: string) {
    this.#connection = connection
    this.#path = `/2025-12-01/durable-executions/${encodeURIComponent(arn)}/checkpoint`
    this.#token = token
  }

  async checkpoint(): Promise<void> {
    this.#step += 1
    const same = { Id: `step-${this.#step}`, Name: 'work', Type: 'STEP', SubType: 'Step' }
    const body = JSON.stringify({
      CheckpointToken: this.#token,
      ClientToken: `${this.#step}-4c1e7f0a-9a55-4c3b-8a43`,
      Updates: [
        { ...same, Action: 'START' },
        { ...same, Action: 'SUCCEED', Payload: PAYLOAD },
      ],
    })
    const answer = await this.#connection.post(this.#path, body)
    if (answer.status !== 200) throw new Error(`checkpoint refused: ${answer.status} ${answer.body}`)
    this.#token = JSON.parse(answer.body).CheckpointToken
  }

  async noop(): Promise<void> {
    const same = { Id: 'step-1', Name: 'work', Type: 'STEP', SubType: 'Step' }
    const body = JSON.stringify({
      CheckpointToken: this.#token,
      ClientToken: '1-4c1e7f0a-9a55-4c3b-8a43',
      Updates: [
        { ...same, Action: 'START' },
        { ...same, Action: 'SUCCEED', Payload: PAYLOAD },
      ],
    })
    const answer = await this.#connection.post('/perdure/v1/noop', body)
    if (answer.status !== 200) throw new Error(`no-op refused: ${answer.status} ${answer.body}`)
    JSON.parse(answer.body)
  }
}

export interface Round {
  readonly perSecond: number
  readonly cpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function measure(
  server: Server,
  calls: readonly (() => Promise<void>)[],
  untilMs: number,
): Promise<Round> {
  const latencies: number[] = []
  const cpuBefore = await server.cpuSeconds()
  const begun = performance.now()
  const end = begun + untilMs
  await Promise.all(
    calls.map(async (call) => {
      while (performance.now() < end) {
        const sent = performance.now()
        await call()
        latencies.push(performance.now() - sent)
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  const cpu = (await server.cpuSeconds()) - cpuBefore
  latencies.sort((a, b) => a - b)
  return {
    perSecond: latencies.length / seconds,
    cpuUs: (cpu * 1e6) / latencies.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  }
}

export async function startLanes(port: number, count: number, begun: Map<string, string>): Promise<Lane[]> {
  const lanes: Lane[] = []
  for (let i = 0; i < count; i++) {
    const connection = await Connection.open(port)
    const before = begun.size
    await postEvent(port)
    while (begun.size === before) await new Promise((resolve) => setImmediate(resolve))
    const [arn, token] = [...begun].at(-1) ?? ['', '']
    lanes.push(new Lane(connection, arn, token))
  }
  return lanes
}

async function postEvent(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/2015-03-31/functions/open:$LATEST/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event' },
    body: '{}',
  })
  if (response.status !== 202) throw new Error(`start refused: ${response.status} ${await response.text()}`)
}

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

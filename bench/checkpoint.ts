/**
 * `npm run bench -- checkpoint`: durable checkpoints per second over 64 connections with payloads of 1 KB, beside the
 * same server's no-op endpoint (which reads and parses the same body and answers as much) and a bare node:http echo,
 * in interleaved rounds. Then the cost per checkpoint along an execution of 3,000 operations.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FromServer } from './checkpoint-server.ts'
import { Connection, quantile } from './load.ts'

const CONNECTIONS = 64
const ROUNDS = 5
const ROUND_MS = 3_000
const PAYLOAD = JSON.stringify('x'.repeat(1_022))
const CURVE_OPERATIONS = 3_000
const CURVE_WINDOW = 300

class Server {
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
    this.#process.send('cpu')
    const { user, system } = await Server.#next(this.#process, 'cpu')
    return (user + system) / 1e6
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
class Lane {
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

interface Round {
  readonly perSecond: number
  readonly cpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function measure(server: Server, calls: readonly (() => Promise<void>)[], untilMs: number): Promise<Round> {
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

async function startLanes(port: number, count: number, begun: Map<string, string>): Promise<Lane[]> {
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

const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

function row(name: string, rounds: readonly Round[]): string {
  const of = (member: keyof Round) => median(rounds.map((round) => round[member]))
  const figures = [of('perSecond').toFixed(0), of('p50Ms').toFixed(2), of('p99Ms').toFixed(2), of('cpuUs').toFixed(1)]
  return [name.padEnd(22), ...figures.map((figure) => figure.padStart(10))].join('')
}

export async function run(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'perdure-bench-'))
  const begun = new Map<string, string>()
  const server = await Server.start(['perdure', data], (arn, token) => begun.set(arn, token))
  const echo = await Server.start(['echo'], () => {})
  const lanes = await startLanes(server.port, CONNECTIONS, begun)
  const echoConnections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(echo.port)))
  const body = JSON.stringify({ payload: PAYLOAD, filler: 'x'.repeat(300) })
  const calls = {
    checkpoint: { server, calls: lanes.map((lane) => () => lane.checkpoint()) },
    'no-op': { server, calls: lanes.map((lane) => () => lane.noop()) },
    'node:http echo': {
      server: echo,
      calls: echoConnections.map((connection) => async () => {
        await connection.post('/', body)
      }),
    },
  }
  for (const { server, calls: all } of Object.values(calls)) await measure(server, all, 1_000)
  const rounds = new Map<string, Round[]>(Object.keys(calls).map((name) => [name, []]))
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, { server, calls: all }] of Object.entries(calls)) {
      rounds.get(name)?.push(await measure(server, all, ROUND_MS))
    }
  }
  console.log(`${CONNECTIONS} connections, 1 KB payloads, SQLite with fsync; medians of ${ROUNDS} interleaved rounds`)
  console.log(`${''.padEnd(22)}${['per s', 'p50 ms', 'p99 ms', 'CPU µs'].map((head) => head.padStart(10)).join('')}`)
  for (const [name, all] of rounds) console.log(row(name, all))
  const cpu = (name: string) => median(rounds.get(name)?.map(({ cpuUs }) => cpuUs) ?? [])
  console.log(`server CPU above the no-op: ${(cpu('checkpoint') - cpu('no-op')).toFixed(1)} µs per checkpoint`)
  await curve(server, begun)
  server.stop()
  echo.stop()
  rmSync(data, { recursive: true, force: true })
}

/** Server CPU per checkpoint while executions grow to 3,000 operations. */
async function curve(server: Server, begun: Map<string, string>): Promise<void> {
  const lanes = await startLanes(server.port, CONNECTIONS, begun)
  console.log(`\nserver CPU per checkpoint along ${CONNECTIONS} executions of ${CURVE_OPERATIONS} operations`)
  for (let from = 0; from < CURVE_OPERATIONS; from += CURVE_WINDOW) {
    const before = await server.cpuSeconds()
    await Promise.all(
      lanes.map(async (lane) => {
        for (let i = 0; i < CURVE_WINDOW; i++) await lane.checkpoint()
      }),
    )
    const us = (((await server.cpuSeconds()) - before) * 1e6) / (CURVE_WINDOW * lanes.length)
    console.log(
      `  ${String(from + 1).padStart(5)}–${String(from + CURVE_WINDOW).padEnd(5)} ${us.toFixed(1).padStart(7)} µs`,
    )
  }
}

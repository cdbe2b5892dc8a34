/**
 * `npm run bench -- checkpoint`: durable checkpoints per second over 64 connections with payloads of 1 KB, beside the
 * same server's no-op endpoint (which reads and parses the same body and answers as much) and a bare node:http echo,
 * in interleaved rounds. Then the cost per checkpoint along an execution of 3,000 operations.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from './load.ts'
import { measure, median, PAYLOAD, type Round, Server, startLanes } from './server-under-load.ts'

const CONNECTIONS = 64
const ROUNDS = 5
const ROUND_MS = 3_000
const CURVE_OPERATIONS = 3_000
const CURVE_WINDOW = 300

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
  // New executions each round: an execution has at most 3,000 operations, and a round makes some 700.
  const newLanes = () => startLanes(server.port, CONNECTIONS, begun)
  const echoConnections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(echo.port)))
  const body = JSON.stringify({ payload: PAYLOAD, filler: 'x'.repeat(300) })
  const calls = {
    checkpoint: { server, of: async () => (await newLanes()).map((lane) => () => lane.checkpoint()) },
    'no-op': { server, of: async () => (await newLanes()).map((lane) => () => lane.noop()) },
    'node:http echo': {
      server: echo,
      of: async () =>
        echoConnections.map((connection) => async () => {
          await connection.post('/', body)
        }),
    },
  }
  for (const { server, of } of Object.values(calls)) await measure(server, await of(), 1_000)
  const rounds = new Map<string, Round[]>(Object.keys(calls).map((name) => [name, []]))
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, { server, of }] of Object.entries(calls)) {
      rounds.get(name)?.push(await measure(server, await of(), ROUND_MS))
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

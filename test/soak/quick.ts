/**
 * Executions that cost little: a handler without an SDK that checkpoints over one kept connection, and in some
 * executions does to the protocol what networks and lost workers do: an answer that is not waited for, a repeated
 * request, a consumed token.
 */
import { Agent, request } from 'node:http'
import type { DurableInvocationEvent } from '../../src/protocol/shapes.ts'
import { note } from './note.ts'
import type { QuickOrder } from './orders.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const PATIENCE_MS = 60_000

interface Answer {
  readonly status: number
  readonly text: string
}

/** Undefined: there was no answer, or with `deaf` nobody waited for it. */
function post(path: string, body: string, deaf = false): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const url = new URL(path, process.env['AWS_ENDPOINT_URL_LAMBDA'])
    const call = request(url, { method: 'POST', agent: deaf ? false : agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.once('error', () => resolve(undefined))
    })
    call.once('error', () => resolve(undefined))
    call.end(body, () => {
      if (!deaf) return
      call.destroy()
      resolve(undefined)
    })
  })
}

/** Until an answer comes that is no failure of the server. */
async function persist(path: string, body: string): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await post(path, body)
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer
    if (performance.now() > deadline) throw new Error(`no answer for ${PATIENCE_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const tokenIn = ({ status, text }: Answer): string | undefined =>
  status === 200 ? (JSON.parse(text) as { CheckpointToken: string }).CheckpointToken : undefined

export async function handler(event: DurableInvocationEvent): Promise<unknown> {
  const { Operations } = event.InitialExecutionState
  const [execution] = Operations
  const order = JSON.parse(execution?.ExecutionDetails?.InputPayload ?? '{}') as QuickOrder
  const { name, mischief } = order
  const path = `/2025-12-01/durable-executions/${encodeURIComponent(event.DurableExecutionArn)}/checkpoint`
  const known = new Set(Operations.map(({ Id }) => Id))
  let token = event.CheckpointToken
  for (let step = 1; step <= order.steps; step++) {
    const id = `step-${step}`
    if (known.has(id)) continue
    const same = { Id: id, Type: 'STEP', SubType: 'Step', Name: id }
    const Updates = [
      { ...same, Action: 'START' },
      { ...same, Action: 'SUCCEED', Payload: JSON.stringify('y'.repeat(order.bytes)) },
    ]
    const body = JSON.stringify({ CheckpointToken: token, ClientToken: `${id}-${token.slice(-12)}`, Updates })
    if (step === 1 && mischief === 'lost') {
      note('lost', name, id)
      await post(path, body, true)
    }
    const before = performance.now()
    const answer = await persist(path, body)
    const next = tokenIn(answer)
    // Superseded: another invocation goes on, and nobody heeds what this one returns.
    if (next === undefined) return { Status: 'PENDING' }
    note('acknowledged', name, id, (performance.now() - before).toFixed(2))
    if (step === 1 && mischief === 'repeat') {
      const again = await persist(path, body)
      note('repeated', name, id, again.status === 200 && tokenIn(again) !== next ? 'different' : again.status)
    }
    if (step === 1 && mischief === 'stale') {
      const stale = JSON.stringify({ CheckpointToken: token, ClientToken: 'stale', Updates: [] })
      note('stale', name, id, (await persist(path, stale)).status)
    }
    token = next
  }
  note('end', name)
  return { Status: 'SUCCEEDED', Result: JSON.stringify(name) }
}

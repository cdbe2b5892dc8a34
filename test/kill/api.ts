/** The few calls that the kill test makes from outside, each tried until a server answers. */
import type { HistoryEvent } from '../../src/protocol/shapes.ts'

const RETRY_MS = 50
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, RETRY_MS))

/** Sends until something that is not a failure of the server (5xx, 429, no connection) comes back. */
async function persist(url: string, init: RequestInit): Promise<Response> {
  for (;;) {
    try {
      const response = await fetch(url, init)
      if (response.status < 500 && response.status !== 429) return response
      await response.arrayBuffer()
    } catch {
      // The server is down: that is what this test does to it.
    }
    await pause()
  }
}

export async function startNamed(
  endpoint: string,
  fn: string,
  name: string,
  event: unknown = { name },
): Promise<string> {
  const response = await persist(`${endpoint}/2015-03-31/functions/${fn}:$LATEST/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name },
    body: JSON.stringify(event),
  })
  if (response.status !== 202) throw new Error(`start of ${name}: ${response.status} ${await response.text()}`)
  return response.headers.get('x-amz-durable-execution-arn') ?? ''
}

/** Of a plain function: queued, and run at least once. */
export async function startUnnamed(endpoint: string, fn: string, event: unknown): Promise<void> {
  const response = await persist(`${endpoint}/2015-03-31/functions/${fn}/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event' },
    body: JSON.stringify(event),
  })
  if (response.status !== 202) throw new Error(`start of ${fn}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** True when this call, or an earlier one whose answer was lost, completed the callback. */
export async function answerCallback(endpoint: string, callbackId: string, result: string): Promise<void> {
  const response = await persist(`${endpoint}/2025-12-01/durable-execution-callbacks/${callbackId}/succeed`, {
    method: 'POST',
    body: result,
  })
  const text = await response.text()
  if (response.status !== 200 && !text.includes('already completed')) throw new Error(`callback: ${text}`)
}

export interface Description {
  readonly Status: string
  readonly Result?: string
  readonly Error?: unknown
}

export async function describe(endpoint: string, arn: string): Promise<Description> {
  const response = await persist(`${endpoint}/2025-12-01/durable-executions/${encodeURIComponent(arn)}`, {})
  if (response.status !== 200) throw new Error(`describe ${arn}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Description
}

export async function history(endpoint: string, arn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = []
  let marker = ''
  for (;;) {
    const query = `MaxItems=1000&IncludeExecutionData=true${marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`}`
    const url = `${endpoint}/2025-12-01/durable-executions/${encodeURIComponent(arn)}/history?${query}`
    const response = await persist(url, {})
    if (response.status !== 200) throw new Error(`history of ${arn}: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as { Events: HistoryEvent[]; NextMarker?: string }
    events.push(...page.Events)
    if (page.NextMarker === undefined) return events
    marker = page.NextMarker
  }
}

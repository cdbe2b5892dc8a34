/** Ways for a handler to lose its process, as a sandbox that is taken away would. */
import { createHash } from 'node:crypto'
import { existsSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DurableExecutionApiClient, type DurableExecutionClient } from '@aws/durable-execution-sdk-js'

/** Ends the process when `ready` resolves, the first time of two: a file remembers it, and the second time removes it. */
export async function crashOnce(executionArn: string, ready: Promise<void>): Promise<void> {
  const marker = join(tmpdir(), `perdure-conformance-${createHash('sha256').update(executionArn).digest('hex')}`)
  if (existsSync(marker)) return unlinkSync(marker)
  writeFileSync(marker, '')
  await ready
  process.exit(1)
}

/**
 * The usual client, and a promise of the moment when the start of a step has been acknowledged. A step with
 * at-least-once semantics begins to run before that, so a crash in its first instant would leave no trace of it.
 */
export function clientThatTellsOfStepStart(): { client: DurableExecutionClient; stepStarted: Promise<void> } {
  const inner = new DurableExecutionApiClient()
  const { promise: stepStarted, resolve } = Promise.withResolvers<void>()
  const client: DurableExecutionClient = {
    getExecutionState: (request, logger) => inner.getExecutionState(request, logger),
    checkpoint: async (request, logger) => {
      const response = await inner.checkpoint(request, logger)
      if (request.Updates?.some((update) => update.Type === 'STEP' && update.Action === 'START')) resolve()
      return response
    },
  }
  return { client, stepStarted }
}

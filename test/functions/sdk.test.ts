import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { invoke, responseOf, serveOne } from './project.ts'

const executionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST/durable-execution/name/id'

test('the official SDK runs in a process, and its checkpoints come in through the own listener', async (t) => {
  const checkpoints: unknown[] = []
  const lambdaApi: RequestListener = async (request, response) => {
    const { CheckpointToken, Updates } = JSON.parse(await text(request))
    checkpoints.push([request.url, CheckpointToken, Updates.map(({ Action }: { Action: string }) => Action)])
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ CheckpointToken: 'token-2', NewExecutionState: { Operations: [], NextMarker: '' } }))
  }
  const functions = await serveOne(
    t,
    'f.ts',
    `import { withDurableExecution, type DurableContext } from '@aws/durable-execution-sdk-js'
     export const handler = withDurableExecution(async (event: { n: number }, context: DurableContext) =>
       context.step('double', async () => event.n * 2))`,
    { durable: { ExecutionTimeout: 60 } },
    { lambdaApi },
  )
  const event = {
    DurableExecutionArn: executionArn,
    CheckpointToken: 'token-1',
    InitialExecutionState: {
      Operations: [
        {
          Id: 'id',
          Type: 'EXECUTION',
          Status: 'STARTED',
          StartTimestamp: 1,
          ExecutionDetails: { InputPayload: '{"n":21}' },
        },
      ],
      NextMarker: '',
    },
    UpdatedOperationIds: ['id'],
  }
  assert.deepEqual(responseOf(await invoke(functions, event, { executionArn })), { Status: 'SUCCEEDED', Result: '42' })
  const path = `/2025-12-01/durable-executions/${encodeURIComponent(executionArn)}/checkpoint`
  assert.deepEqual(checkpoints, [[path, 'token-1', ['START', 'SUCCEED']]])
})

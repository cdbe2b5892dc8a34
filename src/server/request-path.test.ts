import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OPERATIONS, type OperationSpec } from '../protocol/operations.ts'
import { parseQuery, splitTarget } from './request-path.ts'
import { Router } from './router.ts'
import { ROUTES } from './routes/index.ts'

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/n1/e1'
const router = new Router(ROUTES)
const EXECUTIONS = '/2025-12-01/durable-executions'
const CALLBACKS = '/2025-12-01/durable-execution-callbacks'

const ROWS: readonly [method: string, path: string, route: string | undefined, label?: string][] = [
  ['POST', `${EXECUTIONS}/${encodeURIComponent(ARN)}/checkpoint`, 'CheckpointDurableExecution', ARN],
  ['POST', `${EXECUTIONS}/${ARN}/checkpoint`, 'CheckpointDurableExecution', ARN],
  ['GET', `${EXECUTIONS}/${ARN}/state`, 'GetDurableExecutionState', ARN],
  ['GET', `${EXECUTIONS}/${ARN}/history`, 'GetDurableExecutionHistory', ARN],
  ['POST', `${EXECUTIONS}/${ARN}/stop`, 'StopDurableExecution', ARN],
  ['GET', `${EXECUTIONS}/${ARN}`, 'GetDurableExecution', ARN],
  ['GET', `${EXECUTIONS}/${encodeURIComponent(ARN)}`, 'GetDurableExecution', ARN],
  // Decoded once, never normalised.
  ['GET', `${EXECUTIONS}/a%252Fb`, 'GetDurableExecution', 'a%2Fb'],
  ['GET', `${EXECUTIONS}/../x//y/.`, 'GetDurableExecution', '../x//y/.'],
  ['POST', `${CALLBACKS}/ab/+c==/succeed`, 'SendDurableExecutionCallbackSuccess', 'ab/+c=='],
  ['POST', `${CALLBACKS}/ab%2F%2Bc%3D%3D/fail`, 'SendDurableExecutionCallbackFailure', 'ab/+c=='],
  ['POST', `${CALLBACKS}/a/succeed/heartbeat`, 'SendDurableExecutionCallbackHeartbeat', 'a/succeed'],
  ['GET', '/2025-12-01/functions/f%3Aprod/durable-executions', 'ListDurableExecutionsByFunction', 'f:prod'],
  ['POST', '/2015-03-31/functions/my-fn%3A%24LATEST/invocations', 'Invoke', 'my-fn:$LATEST'],
  ['GET', '/2015-03-31/functions/f/configuration', 'GetFunctionConfiguration', 'f'],
  ['GET', '/2015-03-31/functions/f', 'GetFunction', 'f'],
  ['GET', '/2015-03-31/functions/f/policy', 'GetPolicy', 'f'],
  ['PUT', '/2015-03-31/functions/f%3A1/aliases/live', 'UpdateAlias', 'f:1'],
  ['GET', '/2015-03-31/functions/f/aliases', 'ListAliases', 'f'],
  ['GET', '/2019-09-25/functions/f/event-invoke-config/list', 'ListFunctionEventInvokeConfigs', 'f'],
  ['DELETE', '/2017-03-31/tags/arn%3Aaws%3Alambda', 'UntagResource', 'arn:aws:lambda'],
  ['POST', '/2018-10-31/layers/l/versions', 'PublishLayerVersion', 'l'],
  ['GET', '/2018-10-31/layers/arn%3Aaws%3Alambda/versions/3', 'GetLayerVersion', 'arn:aws:lambda'],
  ['DELETE', '/2018-10-31/layers/l/versions/3/policy/s', 'RemoveLayerVersionPermission', 'l'],
  ['GET', '/2018-10-31/layers', 'ListLayers', ''],
  ['GET', '/2018-10-31/layers?find=LayerVersion&Arn=a', 'GetLayerVersionByArn', ''],
  ['GET', '/2018-10-31/layers?Marker=find=LayerVersion', 'ListLayers', ''],
  ['POST', '/2015-03-31/functions', 'CreateFunction', ''],
  ['GET', '/2015-03-31/functions', 'ListFunctions', ''],
  ['GET', '/2015-03-31/functions/', 'ListFunctions', ''],
  ['GET', '/healthz', 'perdure.Health', ''],
  // Nothing of ours.
  ['PATCH', '/2015-03-31/functions/f/policy', undefined],
  ['PUT', '/2015-03-31/functions', undefined],
  ['DELETE', '/2018-10-31/layers/l/versions/3/policy/s/t', undefined],
  ['DELETE', '/2018-10-31/layers/l/versions/3/policy/', undefined],
  ['GET', '/2015-03-31/functions/f/aliases/a/b', undefined],
  ['DELETE', `${EXECUTIONS}/${ARN}`, 'DeleteDurableExecution', ARN],
  ['PUT', `${EXECUTIONS}/${ARN}`, undefined],
  ['POST', `${EXECUTIONS}/checkpoint`, undefined],
  ['POST', `${EXECUTIONS}//checkpoint`, undefined],
  ['GET', `${EXECUTIONS}`, undefined],
  ['GET', '/', undefined],
  ['GET', '', undefined],
  ['OPTIONS', '*', undefined],
]

describe('routes', () => {
  for (const [method, target, name, label] of ROWS) {
    test(`[01 §1.0] ${method} ${target} → ${name ?? 'unknown'}`, () => {
      const { path, query } = splitTarget(target)
      if (name === undefined) {
        assert.throws(() => router.find(method, path), { name: 'UnknownOperationException' })
        return
      }
      const match = router.find(method, path, query)
      assert.deepEqual([match.route.name, match.labels[0] ?? ''], [name, label])
    })
  }

  test('a label that is not validly encoded is refused', () => {
    assert.throws(() => router.find('GET', `${EXECUTIONS}/%E0%A4%A`), { name: 'SerializationException' })
  })
})

test('every operation of the table has its route, bound as the table says', () => {
  const routes = new Map(ROUTES.map((route) => [route.name, route]))
  assert.equal(routes.size, ROUTES.length)
  for (const spec of Object.values<OperationSpec>(OPERATIONS)) {
    const route = routes.get(spec.name)
    assert.deepEqual([route?.method, route?.path], [spec.method, spec.path])
    const takesBody =
      spec.rawBody === true || Object.values(spec.input).some((m) => m.in === 'body' || m.in === 'payload')
    assert.equal(route?.body !== undefined, takesBody, spec.name)
  }
})

describe('queries', () => {
  test('[01 §1.0] repeated keys make a list; a plus is a plus', () => {
    assert.deepEqual(
      [...parseQuery('Statuses=RUNNING&Statuses=FAILED&CheckpointToken=a+b%2F%3D&Flag&&Empty=')],
      [
        ['Statuses', ['RUNNING', 'FAILED']],
        ['CheckpointToken', ['a+b/=']],
        ['Flag', ['']],
        ['Empty', ['']],
      ],
    )
    assert.throws(() => parseQuery('a=%zz'), { name: 'SerializationException' })
  })

  test('the first question mark ends the path', () => {
    assert.deepEqual(splitTarget('/a?b=?c'), { path: '/a', query: 'b=?c' })
    assert.deepEqual(splitTarget('/a'), { path: '/a', query: '' })
  })
})

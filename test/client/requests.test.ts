/** A request that exists is one that the server's validation accepts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { InvalidRequestError } from '../../src/client/errors.ts'
import {
  AddPermissionRequest,
  CheckpointDurableExecutionRequest,
  CreateFunctionRequest,
  GetAliasRequest,
  InvokeRequest,
  ListDurableExecutionsByFunctionRequest,
  SendDurableExecutionCallbackSuccessRequest,
  StopDurableExecutionRequest,
  TagResourceRequest,
  UntagResourceRequest,
} from '../../src/client/requests.ts'

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:order'
const durableExecutionArn = 'arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST/durable-execution/o-1/0123'
const checkpointToken = 'dDE='

describe('CheckpointDurableExecutionRequest', () => {
  test('is made from its required members alone', () => {
    const request = new CheckpointDurableExecutionRequest({ durableExecutionArn, checkpointToken })
    assert.deepEqual(request.toWire(), {
      method: 'POST',
      path: `/2025-12-01/durable-executions/${encodeURIComponent(durableExecutionArn)}/checkpoint`,
      headers: { 'content-type': 'application/json' },
      body: '{"CheckpointToken":"dDE="}',
    })
  })

  test('carries its optional members, nested ones too, and leaves out what is undefined', () => {
    const request = new CheckpointDurableExecutionRequest({
      durableExecutionArn,
      checkpointToken,
      clientToken: 'c-1',
      updates: [
        {
          id: 'a',
          parentId: undefined,
          type: 'STEP',
          action: 'RETRY',
          error: { errorType: 'Busy', stackTrace: ['at x'] },
          stepOptions: { nextAttemptDelaySeconds: 5 },
        },
        { id: 'b', type: 'CHAINED_INVOKE', action: 'START', chainedInvokeOptions: { functionName: 'pay:1' } },
      ],
    })
    assert.deepEqual(JSON.parse(String(request.toWire().body)), {
      CheckpointToken: 'dDE=',
      ClientToken: 'c-1',
      Updates: [
        {
          Id: 'a',
          Type: 'STEP',
          Action: 'RETRY',
          Error: { ErrorType: 'Busy', StackTrace: ['at x'] },
          StepOptions: { NextAttemptDelaySeconds: 5 },
        },
        { Id: 'b', Type: 'CHAINED_INVOKE', Action: 'START', ChainedInvokeOptions: { FunctionName: 'pay:1' } },
      ],
    })
  })

  const refused: readonly [string, unknown, RegExp][] = [
    ['no members', undefined, /its members are missing/],
    ['a required member missing', { durableExecutionArn }, /Value null at 'checkpointToken' .* not be null/],
    ['null where a value is required', { durableExecutionArn, checkpointToken: null }, /at 'checkpointToken'/],
    ['a malformed ARN', { durableExecutionArn: 'order', checkpointToken }, /'order' at 'durableExecutionArn'/],
    ['a token outside its alphabet', { durableExecutionArn, checkpointToken: 'a b' }, /'a b' at 'checkpointToken'/],
    ['a client token that is too long', { durableExecutionArn, checkpointToken, clientToken: 'x'.repeat(65) }, /64/],
    ['a list that is none', { durableExecutionArn, checkpointToken, updates: {} }, /'updates' must be a list/],
    [
      'a member in the spelling of the wire',
      { durableExecutionArn, CheckpointToken: checkpointToken },
      /there is no member 'CheckpointToken'; there are durableExecutionArn, checkpointToken, updates, clientToken/,
    ],
    [
      'a misspelt nested member',
      { durableExecutionArn, checkpointToken, updates: [{ id: 'a', type: 'WAIT', action: 'START', waitOption: {} }] },
      /there is no member 'waitOption'/,
    ],
    [
      'several violations, told at once',
      { durableExecutionArn, checkpointToken, updates: [{ id: '', type: 'STEP', action: 'JUMP' }] },
      /3 validation errors detected: .*updates\.1\.member\.id.*updates\.1\.member\.action/,
    ],
    [
      'a wait out of range',
      {
        durableExecutionArn,
        checkpointToken,
        updates: [{ id: 'w', type: 'WAIT', action: 'START', waitOptions: { waitSeconds: 0 } }],
      },
      /Value '0' at 'updates\.1\.member\.waitOptions\.waitSeconds'/,
    ],
  ]
  for (const [what, members, text] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => new CheckpointDurableExecutionRequest(members as never),
        (error) => {
          assert.ok(error instanceof InvalidRequestError)
          assert.match(error.message, text)
          assert.equal(error.consequence, 'terminal')
          assert.equal(error.operation, 'CheckpointDurableExecution')
          return true
        },
      )
    })
  }
})

test('lists, times and booleans have their form of a query string', () => {
  const { path, body } = new ListDurableExecutionsByFunctionRequest({
    functionName: 'order:prod',
    statuses: ['RUNNING', 'FAILED'],
    startedAfter: Date.UTC(2025, 0, 1, 0, 0, 0, 500),
    reverseOrder: true,
    maxItems: 7,
  }).toWire()
  assert.equal(
    path,
    '/2025-12-01/functions/order%3Aprod/durable-executions?Statuses=RUNNING&Statuses=FAILED' +
      '&StartedAfter=2025-01-01T00%3A00%3A00.500Z&ReverseOrder=true&MaxItems=7',
  )
  assert.equal(body, undefined)
})

test('a number is no text of a number, a text no number', () => {
  assert.throws(
    () => new ListDurableExecutionsByFunctionRequest({ functionName: 'f', maxItems: '7' as never }),
    /'maxItems' must be an integer/,
  )
  assert.throws(() => new InvokeRequest({ functionName: 7 as never }), /'functionName' must be a string/)
})

test('bytes of the caller are sent as they are', () => {
  const payload = new Uint8Array([0, 255, 10])
  const invoke = new InvokeRequest({ functionName: 'f', payload, invocationType: 'Event', durableExecutionName: 'n' })
  assert.deepEqual(invoke.toWire(), {
    method: 'POST',
    path: '/2015-03-31/functions/f/invocations',
    headers: {
      'x-amz-invocation-type': 'Event',
      'x-amz-durable-execution-name': 'n',
      'content-type': 'application/octet-stream',
    },
    body: payload,
  })
  assert.throws(
    () => new InvokeRequest({ functionName: 'f', payload: { a: 1 } as never }),
    /'payload' must be a string/,
  )
  const empty = new SendDurableExecutionCallbackSuccessRequest({ callbackId: 'abc' }).toWire()
  assert.equal(empty.body, undefined)
})

test('a structure that is the whole body is not wrapped, and `{}` when there is none', () => {
  const wire = (error?: { errorType: string }) =>
    new StopDurableExecutionRequest({ durableExecutionArn, error }).toWire()
  assert.equal(wire({ errorType: 'E' }).body, '{"ErrorType":"E"}')
  assert.equal(wire().body, '{}')
})

describe('management of functions', () => {
  const role = 'arn:aws:iam::000000000000:role/any'
  const zipFile = new Uint8Array([0, 255, 10])

  test('a package is base64, and the names of variables and tags are left as they are', () => {
    const { method, path, body } = new CreateFunctionRequest({
      functionName: 'order',
      role,
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { zipFile },
      environment: { variables: { Stage: 'a', stageTwo: 'b' } },
      tags: { Team: 'x', 'perdure:stack': 'y' },
      durableConfig: { executionTimeout: 60, kmsKeyArn: undefined },
    }).toWire()
    assert.deepEqual([method, path], ['POST', '/2015-03-31/functions'])
    assert.deepEqual(JSON.parse(String(body)), {
      FunctionName: 'order',
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: 'AP8K' },
      Environment: { Variables: { Stage: 'a', stageTwo: 'b' } },
      Tags: { Team: 'x', 'perdure:stack': 'y' },
      DurableConfig: { ExecutionTimeout: 60 },
    })
  })

  test('a path has as many labels as its template, an ARN as one segment', () => {
    const { path } = new GetAliasRequest({ functionName: functionArn, name: 'live' }).toWire()
    assert.equal(path, `/2015-03-31/functions/${encodeURIComponent(functionArn)}/aliases/live`)
    const tagged = new TagResourceRequest({ resource: functionArn, tags: { A: '' } }).toWire()
    assert.deepEqual(
      [tagged.path, tagged.body],
      [`/2017-03-31/tags/${encodeURIComponent(functionArn)}`, '{"Tags":{"A":""}}'],
    )
    const untagged = new UntagResourceRequest({ resource: functionArn, tagKeys: ['A', 'b c'] }).toWire()
    assert.equal(untagged.path, `/2017-03-31/tags/${encodeURIComponent(functionArn)}?tagKeys=A&tagKeys=b%20c`)
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    [
      'a package that is text',
      () => new CreateFunctionRequest({ functionName: 'f', role, code: { zipFile: 'no bytes' as never } }),
      /'code\.zipFile' must be/,
    ],
    ['a role that is none', () => new CreateFunctionRequest({ functionName: 'f', role: 'me', code: {} }), /at 'role'/],
    ['an alias of digits', () => new GetAliasRequest({ functionName: 'f', name: '7' }), /Value '7' at 'name'/],
    [
      'a variable that is no text',
      () =>
        new CreateFunctionRequest({
          functionName: 'f',
          role,
          code: {},
          environment: { variables: { PORT: 80 as never } },
        }),
      /must be a string/,
    ],
    [
      'a statement without its principal',
      () => new AddPermissionRequest({ functionName: 'f', statementId: 's', action: 'lambda:InvokeFunction' } as never),
      /at 'principal' .* not be null/,
    ],
  ]
  for (const [what, make, text] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(make, (error) => {
        assert.ok(error instanceof InvalidRequestError)
        assert.match(error.message, text)
        return true
      })
    })
  }
})

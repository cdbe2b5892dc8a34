/**
 * The official cloud test runner drives functions of the official SDK on a real server: every operation of the SDK,
 * unmodified clients on both sides.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  CloudDurableTestRunner,
  type DurableOperation,
  type TestResult,
  WaitingOperationStatus,
} from '@aws/durable-execution-sdk-js-testing'
import { InvocationType, LambdaClient } from '@aws-sdk/client-lambda'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import * as functions from './functions.ts'

const folder = mkdtempSync(join(tmpdir(), 'perdure-cloud-runner-'))
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

let server: PerdureProcess
let client: LambdaClient

before(async () => {
  server = await startPerdureProcess({
    data: join(folder, 'data'),
    functions: Object.keys(functions).map((exportName) => ({
      name: kebab(exportName),
      file: join(import.meta.dirname, 'functions.ts'),
      exportName,
      concurrency: 4,
      environment: { FLAKY_FILE: join(folder, 'flaky'), CRASH_FILE: join(folder, 'crash') },
    })),
  })
  client = new LambdaClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  })
})

after(async () => {
  client.destroy()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Runner = CloudDurableTestRunner

interface Case {
  readonly payload?: unknown
  readonly status?: 'SUCCEEDED' | 'FAILED'
  readonly result?: unknown
  readonly error?: { readonly type?: string; readonly message?: RegExp }
  /** Number of invocations, where the protocol fixes it. */
  readonly invocations?: number
  /** Acts while the execution runs (callbacks). */
  readonly meanwhile?: (runner: Runner) => Promise<unknown>
  readonly check?: (runner: Runner, result: TestResult) => void
}

const details = (runner: Runner, name: string): DurableOperation => runner.getOperation(name)

const CASES: Readonly<Record<keyof typeof functions, Case | undefined>> = {
  helloWorld: { result: 'Hello World!', invocations: 1 },
  echoInput: { payload: { nested: [1, null, 'ü 😀'] }, result: { nested: [1, null, 'ü 😀'] } },
  nothing: { result: undefined },
  namedStep: {
    payload: { name: 'Ada' },
    result: 'Hello Ada',
    check: (runner) => {
      assert.equal(details(runner, 'greet').getStepDetails()?.result, 'Hello Ada')
    },
  },
  unnamedSteps: {
    result: 3,
    check: (runner) => assert.equal(runner.getOperationByIndex(1).getStepDetails()?.result, 2),
  },
  largeStep: { result: 200_000, invocations: 2 },
  stepRetried: {
    result: 3,
    invocations: 3,
    // The runner counts attempts from StepFailed events alone.
    check: (runner) => assert.equal(details(runner, 'flaky').getStepDetails()?.attempt, 2),
  },
  stepExhausted: { status: 'FAILED', error: { message: /always/ }, invocations: 2 },
  stepErrorCaught: { result: 'caught: StepError', invocations: 1 },
  atMostOnce: { result: 'done' },
  waits: {
    result: 'waited',
    invocations: 3,
    check: (runner) => assert.equal(details(runner, 'first').getWaitDetails()?.waitSeconds, 1),
  },
  handlerError: { status: 'FAILED', error: { type: 'TypeError', message: /the handler fails/ }, invocations: 1 },
  childContexts: {
    result: 3,
    check: (runner) => {
      const children = details(runner, 'outer').getChildOperations() ?? []
      assert.deepEqual(
        children.map((child) => child.getName()),
        ['a', 'inner'],
      )
    },
  },
  childWithWait: { result: 'ba!', invocations: 2 },
  largeChild: { result: 300_000, invocations: 2 },
  callbackCreated: {
    result: { answer: 'yes' },
    meanwhile: async (runner) => {
      const approval = await details(runner, 'approval').waitForData(WaitingOperationStatus.STARTED)
      await approval.sendCallbackSuccess('yes')
    },
  },
  callbackFails: {
    result: 'refused: CallbackExternalError',
    meanwhile: async (runner) => {
      const approval = await details(runner, 'approval').waitForData(WaitingOperationStatus.STARTED)
      await approval.sendCallbackFailure({ ErrorType: 'Rejected', ErrorMessage: 'no' })
    },
  },
  callbackTimesOut: { status: 'FAILED', error: { message: /timed out/i }, invocations: 2 },
  callbackHeartbeat: {
    result: 'alive',
    meanwhile: async (runner) => {
      const long = await details(runner, 'long').waitForData(WaitingOperationStatus.STARTED)
      await long.sendCallbackHeartbeat()
      await long.sendCallbackSuccess('alive')
    },
  },
  waitForCallback: {
    result: 'submitted',
    meanwhile: async (runner) => {
      const submit = await details(runner, 'submit').waitForData(WaitingOperationStatus.SUBMITTED)
      await submit.sendCallbackSuccess('submitted')
    },
  },
  target: { payload: { value: 4 }, result: 8 },
  failingTarget: { status: 'FAILED', error: { message: /target fails/ } },
  // A plain function: no durable execution to run.
  plainTarget: undefined,
  invokesDurable: {
    payload: { value: 21 },
    result: 42,
    invocations: 2,
    check: (runner) => {
      const ended = details(runner, 'call').getEvents()?.at(-1)
      assert.equal(ended?.ChainedInvokeSucceededDetails?.Result?.Payload, '42')
    },
  },
  invokesPlain: { payload: { value: 2 }, result: { tripled: 6 }, invocations: 2 },
  invokeFails: { result: 'caught: InvokeError' },
  invokeUnknown: { result: 'caught: InvokeError' },
  polling: { result: 3, invocations: 3 },
  branches: { result: ['left', 'right'], invocations: 1 },
  branchesSuspend: { result: [1, 2], invocations: 2 },
  firstWins: { result: { reason: 'MIN_SUCCESSFUL_REACHED', results: ['fast'] } },
  mapItems: { payload: { items: [1, 2, 3] }, result: [1, 4, 9] },
  mapTolerates: { result: { failed: 1, ok: [1, 3] } },
  mapFlat: { result: [2, 3] },
  mapCustomCompletion: { result: 1 },
  promiseAll: { result: [1, 2] },
  promiseSettled: { result: ['fulfilled', 'rejected'] },
  promiseRace: { result: 'quick' },
  retriedScope: { result: 2 },
  crashOnce: {
    result: 'second time',
    invocations: 2,
    check: (_runner, result) => assert.equal(result.getInvocations()[0]?.error?.errorType, 'Runtime.ExitError'),
  },
  logs: { result: 'logged' },
}

describe('the official cloud test runner', { concurrency: 8 }, () => {
  for (const [exportName, expected] of Object.entries(CASES)) {
    if (expected === undefined) continue
    test(`${kebab(exportName)} runs as on the real service`, async () => {
      const runner = new CloudDurableTestRunner({
        functionName: `${kebab(exportName)}:$LATEST`,
        client,
        config: {
          pollInterval: 100,
          invocationType: expected.meanwhile ? InvocationType.Event : InvocationType.RequestResponse,
        },
      })
      const running = runner.run({ payload: expected.payload ?? {} })
      await expected.meanwhile?.(runner)
      const result = await running
      assert.equal(result.getStatus(), expected.status ?? 'SUCCEEDED', JSON.stringify(result.getHistoryEvents()))
      if (expected.error === undefined) assert.deepEqual(result.getResult(), expected.result)
      else {
        const error = result.getError()
        if (expected.error.type !== undefined) assert.equal(error.errorType, expected.error.type)
        if (expected.error.message !== undefined) assert.match(error.errorMessage ?? '', expected.error.message)
      }
      if (expected.invocations !== undefined) assert.equal(result.getInvocations().length, expected.invocations)
      expected.check?.(runner, result)
    })
  }
})

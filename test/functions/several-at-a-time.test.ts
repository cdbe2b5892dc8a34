/** Several invocations in one process: what is whose, and what one may do to the others. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { LocalFunctions } from '../../src/functions/local-functions.ts'
import type { InvocationResult } from '../../src/service/ports.ts'
import { logged } from './logged.ts'
import { invoke, responseOf, serveOne } from './project.ts'

/** Answers what asks for `/together/<n>` when `n` have asked: proof that so many ran at the same time. */
function gate(): RequestListener {
  const waiting: (() => void)[] = []
  return (request, response) => {
    const wanted = Number(request.url?.split('/').at(-1))
    waiting.push(() => response.end('go'))
    if (waiting.length >= wanted) for (const go of waiting.splice(0)) go()
  }
}

const together = `
  const together = async (n) => (await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA + '/together/' + n)).text()
`

async function serveSeveral(
  t: TestContext,
  handler: string,
  more: { readonly timeout?: number; readonly places?: number; readonly memory?: number } = {},
): Promise<LocalFunctions> {
  const { places = 4, ...declaration } = more
  return serveOne(
    t,
    'a.mjs',
    together + handler,
    { maxConcurrency: places, concurrency: places, ...declaration },
    { lambdaApi: gate() },
  )
}

const linesOf = (result: InvocationResult): string[] =>
  result.logTail.split('\n').filter((line) => line !== '' && !/^(START|END|REPORT)/.test(line))

test('four invocations share a process; each has its own context, request id and log', async (t) => {
  const functions = await serveSeveral(
    t,
    `export const handler = async (event, context) => {
       console.log('begins', event.n)
       await together(4)
       process.stdout.write('half of ' + event.n)
       await new Promise((resolve) => setTimeout(resolve, 10 * (4 - event.n)))
       process.stdout.write(', the other half\\n')
       console.error('ends', event.n)
       const store = globalThis.awslambda.InvokeStore
       return { pid: process.pid, id: context.awsRequestId, stored: store.getRequestId(), trace: store.getXRayTraceId() }
     }`,
  )
  const results = await Promise.all(
    [0, 1, 2, 3].map((n) => invoke(functions, { n }, { requestId: `request-${n}`, traceHeader: `Root=${n}` })),
  )
  const answers = results.map(
    (result) => responseOf(result) as { pid: number; id: string; stored: string; trace: string },
  )
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 1)
  for (const [n, { id, stored, trace }] of answers.entries()) {
    assert.deepEqual([id, stored, trace], [`request-${n}`, `request-${n}`, `Root=${n}`])
  }
  for (const [n, result] of results.entries()) {
    assert.deepEqual(linesOf(result), [`begins ${n}`, `half of ${n}, the other half`, `ends ${n}`])
  }
  const ofTwo = await logged(functions.logs, { requestId: 'request-2' })
  assert.deepEqual(
    ofTwo.map(({ stream, line }) => [stream, line.split(' ', 2).join(' ')]),
    [
      ['platform', 'START RequestId:'],
      ['stdout', 'begins 2'],
      ['stdout', 'half of'],
      ['stderr', 'ends 2'],
      ['platform', 'END RequestId:'],
      ['platform', 'REPORT RequestId:'],
    ],
  )
})

test('places are counted in invocations: more than the concurrency wait, more than the places take a second process', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `${together} export const handler = async ({ n }) => { if (n) await together(n); return process.pid }`,
    { maxConcurrency: 2, concurrency: 3 },
    { lambdaApi: gate() },
  )
  const results = await Promise.all([3, 3, 3].map((n) => invoke(functions, { n })))
  assert.equal(new Set(results.map(responseOf)).size, 2)
  const [load] = functions.loads()
  assert.deepEqual([load?.running, load?.processes, load?.waiting], [0, 2, 0])
})

test('what is printed outside of an invocation, or past Node, is the process’s', async (t) => {
  const functions = await serveSeveral(
    t,
    `import { writeSync } from 'node:fs'
     console.log('loading')
     export const handler = async () => { writeSync(1, 'raw\\n'); console.log('mine') }`,
  )
  const first = await invoke(functions, {}, { requestId: 'r-1' })
  assert.deepEqual(linesOf(first), ['loading', 'mine'])
  const all = await logged(functions.logs, { functionNames: new Set(['f']) })
  const raw = all.find(({ line }) => line === 'raw')
  assert.deepEqual([raw?.requestId, raw?.stream], [undefined, 'stdout'])
})

const innocent = { ErrorType: 'ServiceException', ErrorMessage: 'Another invocation in the same process ended it' }

/** Runs the bad one beside three that wait for ever, then shows that the next invocation runs in another process. */
async function besideThree(t: TestContext, bad: string, more: { readonly timeout?: number } = {}) {
  const functions = await serveSeveral(
    t,
    `export const handler = async ({ bad, ask }, context) => {
       if (ask) return process.pid
       if (bad === undefined) { await together(4); await new Promise(() => {}) }
       await together(4)
       ${bad}
     }`,
    more,
  )
  const before = responseOf(await invoke(functions, { ask: true }))
  const [culprit, ...others] = await Promise.all([
    invoke(functions, { bad: true }, { requestId: 'culprit' }),
    ...[1, 2, 3].map((n) => invoke(functions, {}, { requestId: `other-${n}` })),
  ])
  assert.notEqual(responseOf(await invoke(functions, { ask: true })), before)
  return { culprit, others }
}

const errorOf = (result: InvocationResult | undefined) => (result?.kind === 'response' ? undefined : result?.error)

for (const [what, bad, error] of [
  [
    'an uncaught exception',
    `setTimeout(() => { throw new TypeError('late') }); await new Promise(() => {})`,
    ['TypeError', 'late'],
  ],
  [
    'an unhandled rejection',
    `Promise.reject(new Error('nobody cares')); await new Promise(() => {})`,
    ['Runtime.UnhandledPromiseRejection', 'Error: nobody cares'],
  ],
  [
    'process.exit',
    'process.exit(7)',
    ['Runtime.ExitError', 'RequestId: culprit Error: Runtime exited with error: exit status 7'],
  ],
] as const) {
  test(`${what} ends all invocations of the process: its own with its error, the others as the platform's`, async (t) => {
    const { culprit, others } = await besideThree(t, bad)
    assert.deepEqual([errorOf(culprit)?.ErrorType, errorOf(culprit)?.ErrorMessage], error)
    for (const other of others) {
      assert.equal(other.kind, 'platform')
      assert.deepEqual(errorOf(other), innocent)
    }
  })
}

test('a timeout ends all invocations of the process: one timed out, the others are repeated', async (t) => {
  const functions = await serveSeveral(t, 'export const handler = async () => { await new Promise(() => {}) }', {
    timeout: 1,
  })
  // It is served first, so its time is over first.
  const [stuck, ...others] = await Promise.all(
    ['stuck', 'other-1', 'other-2'].map((requestId) => invoke(functions, {}, { requestId })),
  )
  assert.equal(errorOf(stuck)?.ErrorMessage, 'RequestId: stuck Error: Task timed out after 1.00 seconds')
  for (const other of others) assert.deepEqual(errorOf(other), innocent)
})

test('when nothing tells whose fault it was, the function’s code is what failed, for all', async (t) => {
  const { culprit, others } = await besideThree(t, `process.kill(process.pid, 'SIGKILL')`)
  for (const result of [culprit, ...others]) {
    assert.equal(errorOf(result)?.ErrorType, 'Runtime.ExitError')
    assert.match(errorOf(result)?.ErrorMessage ?? '', /signal: killed$/)
  }
})

test('when all places wait for nothing, each is told so at once', async (t) => {
  const functions = await serveSeveral(t, 'export const handler = async () => { await new Promise(() => {}) }')
  for (const result of await Promise.all([1, 2, 3, 4].map(() => invoke(functions)))) {
    assert.equal(errorOf(result)?.ErrorType, 'Runtime.NodeJsExit')
  }
})

test('an error that is thrown ends only its own invocation', async (t) => {
  const functions = await serveSeveral(
    t,
    `export const handler = async ({ n }) => { await together(4); if (n === 0) throw new Error('mine'); return n }`,
  )
  const [thrown, ...rest] = await Promise.all([0, 1, 2, 3].map((n) => invoke(functions, { n })))
  assert.equal(errorOf(thrown)?.ErrorMessage, 'mine')
  assert.deepEqual(rest.map(responseOf), [1, 2, 3])
})

test('callbacks and handlers that return nothing answer at once', async (t) => {
  const functions = await serveSeveral(
    t,
    `export const handler = (event, context, callback) => { setTimeout(() => callback(null, event.n), 5) }`,
  )
  assert.deepEqual((await Promise.all([1, 2].map((n) => invoke(functions, { n })))).map(responseOf), [1, 2])
  const silent = await serveSeveral(t, 'export const handler = () => {}')
  assert.equal(responseOf(await invoke(silent)), null)
})

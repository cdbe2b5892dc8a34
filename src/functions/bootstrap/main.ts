/**
 * The bootstrap: what runs inside a function's process. It loads the handler, then serves invocations through the
 * Runtime API (spec 10 §10.1), one after another or several at a time (decision 23), as the official Node client does,
 * without its native addon (decision 20). It imports nothing but node: modules and its neighbours, because it is bundled into one file and
 * runs in a process that holds no other code of ours.
 *
 * Its life: loading → (asking for an invocation → serving it)*, the latter in `maxConcurrency` loops. Every exit has a number that the server
 * reports: 128 after an unhandled rejection, 129 after an uncaught exception or a handler that cannot be loaded.
 * The process ends with its group as soon as descriptor 3, the line to the server, reaches its end: a server that
 * was killed leaves no orphans (decision 22).
 */
import { writeSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { Socket } from 'node:net'
import { type CurrentInvocation, oneAtATime, severalAtATime } from './current-invocation.ts'
import { isDurableHandler } from './durability.ts'
import { type Failure, failureOf } from './failure.ts'
import { serve } from './invoke.ts'
import { logAsJson } from './json-console.ts'
import { type HandlerSource, loadHandler } from './load-handler.ts'
import { printed } from './printed.ts'
import { createRuntimeClient, type Invocation } from './runtime-client.ts'

const serverLine = 3
const exitAfterRejection = 128
const exitAfterException = 129

interface Task extends HandlerSource {
  /** `probe` loads the handler, tells over descriptor 3 whether it is durable, and ends. */
  readonly mode: 'serve' | 'probe'
  /** Where Node keeps compiled code, if it does: the second process of a function starts in half the time. */
  readonly compileCache?: string
  /** Invocations at a time. */
  readonly maxConcurrency: number
}

const task = JSON.parse(process.argv[2] ?? '{}') as Task
if (task.compileCache !== undefined) enableCompileCache(task.compileCache)
process.argv.splice(1, process.argv.length, task.file)

let loading = true

if (task.mode === 'probe') await probe()
else await run()

async function run(): Promise<void> {
  endWithServer()
  const client = createRuntimeClient(process.env['AWS_LAMBDA_RUNTIME_API'] ?? '')
  const several = task.maxConcurrency > 1
  const current: CurrentInvocation = several ? severalAtATime() : oneAtATime()

  const print =
    process.env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON'
      ? logAsJson(process.env['AWS_LAMBDA_LOG_LEVEL'], () => ({
          requestId: current.requestId(),
          tenantId: current.tenantId(),
        }))
      : undefined
  const report = (label: string, { errorType, errorMessage, trace }: Failure): void => {
    if (print !== undefined) print('ERROR', { errorType, errorMessage, stackTrace: trace })
    else process.stderr.write(`ERROR\t${label}\t${JSON.stringify({ errorType, errorMessage, stack: trace })}\n`)
  }

  const endWith = async (failure: Failure, label: string, exitCode: number): Promise<void> => {
    // None while loading or between invocations.
    const requestId = current.requestId()
    report(label, failure)
    await printed()
    try {
      if (loading) await client.failInit(failure)
      else if (requestId !== undefined) await client.fail(requestId, failure)
    } catch (error) {
      report('The failure could not be posted', failureOf(error))
    }
    process.exit(exitCode)
  }
  process.on('uncaughtException', (error) => {
    void endWith(failureOf(error), 'Uncaught Exception', exitAfterException)
  })
  process.on('unhandledRejection', (reason) => {
    const failure = failureOf(reason)
    void endWith(
      { ...failure, errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: rejectionMessage(reason) },
      'Unhandled Promise Rejection',
      exitAfterRejection,
    )
  })

  let handler: Awaited<ReturnType<typeof loadHandler>>
  try {
    handler = await loadHandler(task)
  } catch (error) {
    await endWith(failureOf(error), 'Init Error', exitAfterException)
    return
  }
  loading = false

  let servedAny = false
  const serveOne = async (invocation: Invocation): Promise<void> => {
    const outcome = await serve(handler, invocation, several)
    if (outcome.kind === 'failure') {
      report('Invoke Error', outcome.failure)
      await printed()
      await client.fail(invocation.requestId, outcome.failure)
    } else {
      await printed()
      await client.respond(invocation.requestId, outcome.body)
    }
  }
  const serveForEver = async (): Promise<void> => {
    for (;;) {
      const invocation = await client.next()
      await current.run(invocation, () => serveOne(invocation))
      // By now everything that is loaded on first use is. Most processes are killed in the end, which keeps nothing.
      if (!servedAny) flushCompileCache()
      servedAny = true
    }
  }
  await Promise.all(Array.from({ length: task.maxConcurrency }, serveForEver))
}

async function probe(): Promise<void> {
  const tell = (answer: unknown): void => {
    writeSync(serverLine, `${JSON.stringify(answer)}\n`)
    process.exit(0)
  }
  process.on('uncaughtException', (error) => tell({ failure: failureOf(error) }))
  process.on('unhandledRejection', (reason) => tell({ failure: failureOf(reason) }))
  try {
    tell({ durable: isDurableHandler(await loadHandler(task)) })
  } catch (error) {
    tell({ failure: failureOf(error) })
  }
}

function endWithServer(): void {
  const line = new Socket({ fd: serverLine, readable: true, writable: false })
  const end = (): void => {
    try {
      process.kill(-process.pid, 'SIGKILL')
    } catch {
      // Not a group of its own (Windows): the process alone ends.
      process.exit(exitAfterException)
    }
  }
  line.on('end', end).on('error', end).resume().unref()
}

/** The official client hands the reason to the Error constructor, so a rejected Error shows with its name. */
function rejectionMessage(reason: unknown): string {
  try {
    return String(reason)
  } catch {
    return 'the reason cannot be shown as text'
  }
}

/** Runs the command line as a user does: in processes of its own, without a terminal. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Path of something in this repository. */
export const inRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

function begin(args: readonly string[], options: RunOptions): ChildProcess {
  const { PERDURE_ENDPOINT: _endpoint, PERDURE_LEDGER: _ledger, ...env } = process.env
  return spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? inRepository('.'),
    env: { ...env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** A command from its start to its end. */
export async function perdure(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = begin(args, options)
  child.stdin?.end(options.stdin ?? '')
  const [out, err] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out, err }
}

const read = async (stream: ChildProcess['stdout']) => (stream === null ? '' : await text(stream))

export interface RunningServer {
  readonly endpoint: string
  readonly pid: number
  /** The next line on standard output or standard error that nobody has taken yet; rejects when there are no more. */
  outLine(): Promise<string>
  errLine(): Promise<string>
  /** Sends the signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** A command that goes on until it is ended, at the latest when the test ends. */
export function running(
  context: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Pick<RunningServer, 'outLine' | 'errLine' | 'end'> {
  const child = begin(args, options)
  const ended = once(child, 'close')
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    await ended
    return child.exitCode
  }
  context.after(() => end('SIGKILL'))
  return { outLine: linesOf(child.stdout), errLine: linesOf(child.stderr), end }
}

function linesOf(stream: ChildProcess['stdout']): () => Promise<string> {
  if (stream === null) throw new Error('the process has no such stream')
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error('the process said nothing more')
    return value
  }
}

/** `start` or `dev` with `--json --port 0`, up when this resolves. */
export async function server(
  context: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunningServer> {
  const command = running(context, [...args, '--port', '0', '--json'], options)
  const first = await command.outLine().catch(async () => assert.fail(`no server: ${await command.errLine()}`))
  return { ...command, ...(JSON.parse(first) as { readonly endpoint: string; readonly pid: number }) }
}

/** A folder that is gone when the test ends. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-cli-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

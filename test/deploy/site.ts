/** A project in a folder of its own and a server on disk, with the command line between them. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { PerdureClient } from '../../src/client/client.ts'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import { type Outcome, perdure, temporaryFolder } from '../cli/program.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'

export interface StackReport {
  readonly Stack: string
  readonly Layers: readonly { readonly LayerName: string; readonly Action: string }[]
  readonly Functions: readonly {
    readonly FunctionName: string
    readonly Action: string
    readonly Changes: readonly string[]
  }[]
  readonly Deletions: readonly { readonly FunctionName: string; readonly RunningExecutions: number }[]
  readonly Ignored: readonly { readonly What: string; readonly Reason: string }[]
  readonly StandIns: readonly { readonly Reference: string; readonly Value: string }[]
  readonly Outcomes: readonly {
    readonly FunctionName: string
    readonly Done: string
    readonly Failure?: { readonly Step: string; readonly Message: string }
  }[]
}

export interface Site {
  readonly folder: string
  readonly client: PerdureClient
  readonly server: PerdureProcess
  write(files: Readonly<Record<string, string>>): Promise<void>
  /** `perdure` in the folder, against the server. */
  run(...args: readonly string[]): Promise<Outcome>
  /** `perdure deploy --json`, which has to succeed. */
  deployAll(...args: readonly string[]): Promise<readonly StackReport[]>
  /** The same with one stack. */
  deploy(...args: readonly string[]): Promise<StackReport>
}

/** A server, which declares the functions itself, and a folder beside it. */
export async function siteOf(t: TestContext, functions: readonly FunctionDeclaration[] = []): Promise<Site> {
  const folder = join(await temporaryFolder(t), 'project')
  await mkdir(folder)
  const server = await startPerdureProcess({ data: temporaryDirectory(t), functions, log: { level: 'error' } })
  const client = new PerdureClient(server.endpoint)
  t.after(async () => {
    client.close()
    await server.kill()
  })
  const run = (...args: readonly string[]) => perdure(args, { cwd: folder, env: { PERDURE_ENDPOINT: server.endpoint } })
  async function deployAll(...args: readonly string[]): Promise<readonly StackReport[]> {
    const outcome = await run('deploy', '--json', ...args)
    assert.equal(outcome.code, 0, outcome.err)
    return (JSON.parse(outcome.out) as { readonly Stacks: readonly StackReport[] }).Stacks
  }
  return {
    folder,
    client,
    server,
    run,
    deployAll,
    async write(files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), content)
      }
    },
    async deploy(...args) {
      const [stack, ...others] = await deployAll(...args)
      assert.ok(stack !== undefined && others.length === 0)
      return stack
    },
  }
}

export const actions = ({ Functions }: StackReport) =>
  Object.fromEntries(Functions.map(({ FunctionName, Action }) => [FunctionName, Action]))

export const outcomes = ({ Outcomes }: StackReport) =>
  Object.fromEntries(Outcomes.map(({ FunctionName, Done }) => [FunctionName, Done]))

/** How the processes of a worker are started: from a command, or from a module with our own bootstrap. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBundler } from '../bundle.ts'
import { moduleCode } from '../catalog.ts'
import { reservedVariables } from '../environment.ts'
import type { Launch } from '../launch.ts'
import { launchNode } from '../runtimes/node-process.ts'
import type { Settings } from './messages.ts'

export type WorkerCode =
  /** A program that speaks the Runtime API. */
  | { readonly kind: 'command'; readonly command: string; readonly args: readonly string[]; readonly directory: string }
  | { readonly kind: 'module'; readonly file: string; readonly exportName: string | undefined }

export interface WorkerLaunch {
  readonly launch: (settings: Settings) => Promise<Launch>
  close(): Promise<void>
}

/** Unlike a server's, a worker's environment is its functions': that is how a container is configured. */
function ownEnvironment(): Readonly<Record<string, string>> {
  const entries = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || reservedVariables.has(name) || leadsElsewhere.has(name) ? [] : [[name, value] as const],
  )
  return Object.fromEntries(entries)
}

/** Checkpoints go through the worker, which knows when the last one has arrived. */
const leadsElsewhere: ReadonlySet<string> = new Set(['AWS_ENDPOINT_URL_LAMBDA', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'])

/** Rejects with a DeclarationError when the module cannot be compiled. */
export async function prepareLaunch(code: WorkerCode, functionName: string, inspect: boolean): Promise<WorkerLaunch> {
  const defaults = ownEnvironment()
  if (code.kind === 'command') return { launch: async (settings) => launchCommand(code, settings, defaults), close }
  const directory = await mkdtemp(join(tmpdir(), 'perdure-worker-'))
  try {
    const bundler = createBundler(directory, false)
    const from = await bundler.bootstrap()
    const bootstrap = { file: { from, at: from }, compileCache: join(directory, 'compiled') }
    const { file, exportName } = code
    const named = exportName === undefined ? { file } : { file, exportName }
    const module = await moduleCode(named, (path) => bundler.handler(functionName, path))
    return {
      launch: async ({ version: { memoryMb, maxConcurrency = 1 }, environment }) => ({
        ...launchNode(bootstrap, { ...module, environment }, { mode: 'serve', memoryMb, maxConcurrency, inspect }),
        defaults,
      }),
      close: () => rm(directory, { recursive: true, force: true }),
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** The machine is the worker's: it sees all of it. */
const NOT_ISOLATED = { mounts: [], temporaryMb: 0 }

async function close(): Promise<void> {}

function launchCommand(
  { command, args, directory }: Extract<WorkerCode, { kind: 'command' }>,
  { environment }: Settings,
  defaults: Readonly<Record<string, string>>,
): Launch {
  return {
    command,
    args,
    lines: 'none',
    ...NOT_ISOLATED,
    taskRoot: directory,
    runtimeDirectory: directory,
    handler: process.env['_HANDLER'] ?? command,
    defaults,
    environment,
  }
}

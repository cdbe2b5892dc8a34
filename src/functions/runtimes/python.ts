/** `python3.*`: the official client where the interpreter has it (`awslambdaric`), else a bootstrap of ours. */
import { dirname } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, inLayers, pathOf, searchPaths } from './family.ts'
import type { Programs } from './programs.ts'

/**
 * Prints the path of the interpreter itself, which may hide behind a shim, where its libraries are, and whether it has
 * the official client.
 */
const question = [
  '-c',
  `import sys
print(sys.executable)
print(sys.prefix)
print(sys.base_prefix)
try:
    import awslambdaric.bootstrap
    print('awslambdaric')
except Exception:
    pass`,
]

interface Interpreter {
  readonly path: string
  /** Where it and its libraries lie. */
  readonly places: readonly string[]
  readonly official: boolean
}

/** The interpreter that is configured, else the one of this version, else any Python 3. */
async function interpreterOf(runtime: string, programs: Programs): Promise<Interpreter | undefined> {
  const configured = programs.configured[runtime] ?? programs.configured['python']
  const commands = configured === undefined ? [runtime, 'python3'] : [configured]
  const found = await programs.find(commands, question)
  if (found === undefined) return undefined
  const [path = '', prefix = '', basePrefix = '', client] = found.answer.trim().split(/\r?\n/)
  // A program that only starts the interpreter may lie elsewhere.
  const places = [...new Set([prefix, basePrefix, path])].filter(Boolean)
  return { path: path || found.path, places, official: client === 'awslambdaric' }
}

async function missing(runtime: string, programs: Programs): Promise<string | undefined> {
  if ((await interpreterOf(runtime, programs)) !== undefined) return undefined
  return `${runtime} needs a Python interpreter, and neither ${runtime} nor python3 is on the PATH of the server. Install Python ${runtime.slice('python'.length)}.`
}

export const python: Family = {
  missing,
  launch: async (deployment, { programs, pythonBootstrap, isolation }) => {
    const { runtime, handler, defaults, environment, mounts, temporaryMb, seen } = deployment
    const { taskRoot } = seen
    const interpreter = await interpreterOf(runtime, programs)
    if (interpreter === undefined) {
      throw new LaunchRefusal('Runtime.InvalidEntrypoint', String(await missing(runtime, programs)))
    }
    const { path, places, official } = interpreter
    const packages = inLayers(seen, `python/lib/${runtime}/site-packages`, 'python')
    return {
      command: path,
      args: official ? ['-u', '-m', 'awslambdaric', handler] : ['-u', pythonBootstrap.at],
      lines: official ? 'none' : 'server',
      mounts: [...mounts, pythonBootstrap, ...places.map((place) => ({ from: place, at: place }))],
      temporaryMb,
      taskRoot,
      runtimeDirectory: dirname(pythonBootstrap.at),
      handler,
      runtime,
      defaults: { PYTHONPATH: pathOf([taskRoot, ...packages]), ...searchPaths(seen, isolation), ...defaults },
      environment,
    }
  },
}

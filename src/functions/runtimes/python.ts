/** `python3.*`: the official client where the interpreter has it (`awslambdaric`), else a bootstrap of ours. */
import { dirname } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, inLayers, pathOf, searchPaths } from './family.ts'
import type { Programs } from './programs.ts'

/** Prints the path of the interpreter itself, which may hide behind a shim, and whether it has the official client. */
const question = [
  '-c',
  `import sys
print(sys.executable)
try:
    import awslambdaric.bootstrap
    print('awslambdaric')
except Exception:
    pass`,
]

/** The interpreter that is configured, else the one of this version, else any Python 3. */
async function interpreterOf(
  runtime: string,
  programs: Programs,
): Promise<{ readonly path: string; readonly official: boolean } | undefined> {
  const configured = programs.configured[runtime] ?? programs.configured['python']
  const commands = configured === undefined ? [runtime, 'python3'] : [configured]
  const found = await programs.find(commands, question)
  if (found === undefined) return undefined
  const [path, client] = found.answer.trim().split(/\r?\n/)
  return { path: path || found.path, official: client === 'awslambdaric' }
}

async function missing(runtime: string, programs: Programs): Promise<string | undefined> {
  if ((await interpreterOf(runtime, programs)) !== undefined) return undefined
  return `${runtime} needs a Python interpreter, and neither ${runtime} nor python3 is on the PATH of the server. Install Python ${runtime.slice('python'.length)}.`
}

export const python: Family = {
  missing,
  launch: async (deployment, { programs, pythonBootstrapFile }) => {
    const { runtime, handler, taskRoot, defaults, environment } = deployment
    const interpreter = await interpreterOf(runtime, programs)
    if (interpreter === undefined) {
      throw new LaunchRefusal('Runtime.InvalidEntrypoint', String(await missing(runtime, programs)))
    }
    const { path, official } = interpreter
    const packages = inLayers(deployment, `python/lib/${runtime}/site-packages`, 'python')
    return {
      command: path,
      args: official ? ['-u', '-m', 'awslambdaric', handler] : ['-u', pythonBootstrapFile],
      lines: official ? 'none' : 'server',
      taskRoot,
      runtimeDirectory: dirname(pythonBootstrapFile),
      handler,
      runtime,
      defaults: { PYTHONPATH: pathOf([taskRoot, ...packages]), ...searchPaths(deployment), ...defaults },
      environment,
    }
  },
}

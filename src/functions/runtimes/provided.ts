/** `provided.*`: an executable `bootstrap` at the root of the package, which speaks the Runtime API itself. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, libraryPath } from './family.ts'

export const provided: Family = {
  missing: async () => undefined,
  launch: async ({ handler, taskRoot, defaults, environment }) => {
    const command = join(taskRoot, 'bootstrap')
    if (!statSync(command, { throwIfNoEntry: false })?.isFile()) {
      throw new LaunchRefusal('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${command}]`)
    }
    return {
      command,
      args: [],
      lines: 'none',
      taskRoot,
      runtimeDirectory: taskRoot,
      handler,
      defaults: { LD_LIBRARY_PATH: libraryPath(taskRoot), ...defaults },
      environment,
    }
  },
}

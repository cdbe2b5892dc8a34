/** `provided.*`: an executable `bootstrap` at the root of the package, else of the layers, which speaks the Runtime API. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, inLayers, searchPaths } from './family.ts'

export const provided: Family = {
  missing: async () => undefined,
  launch: async (deployment) => {
    const { handler, taskRoot, defaults, environment } = deployment
    const places = [join(taskRoot, 'bootstrap'), ...inLayers(deployment, 'bootstrap')]
    const command = places.find((each) => statSync(each, { throwIfNoEntry: false })?.isFile())
    if (command === undefined) {
      throw new LaunchRefusal('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${places.join(' ')}]`)
    }
    return {
      command,
      args: [],
      lines: 'none',
      taskRoot,
      runtimeDirectory: taskRoot,
      handler,
      defaults: { ...searchPaths(deployment), ...defaults },
      environment,
    }
  },
}

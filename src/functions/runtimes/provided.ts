/** `provided.*`: an executable `bootstrap` at the root of the package, else of the layers, which speaks the Runtime API. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, inLayers, type Parts, searchPaths } from './family.ts'

export const provided: Family = {
  missing: async () => undefined,
  launch: async (deployment, { isolation }) => {
    const { handler, defaults, environment, mounts, temporaryMb, seen } = deployment
    const { taskRoot } = seen
    const places = bootstrapsOf(seen)
    const there = bootstrapsOf(deployment).findIndex((each) => statSync(each, { throwIfNoEntry: false })?.isFile())
    const command = places[there]
    if (command === undefined) {
      throw new LaunchRefusal('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${places.join(' ')}]`)
    }
    return {
      command,
      args: [],
      lines: 'none',
      mounts,
      temporaryMb,
      taskRoot,
      runtimeDirectory: taskRoot,
      handler,
      defaults: { ...searchPaths(seen, isolation), ...defaults },
      environment,
    }
  },
}

const bootstrapsOf = (parts: Parts): readonly string[] => [
  join(parts.taskRoot, 'bootstrap'),
  ...inLayers(parts, 'bootstrap'),
]

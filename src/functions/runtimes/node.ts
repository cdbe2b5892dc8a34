/** `nodejs*`: our bootstrap under the server's own Node, whatever version is asked for. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Launch, LaunchRefusal } from '../launch.ts'
import { type Deployment, type Family, inLayers, pathOf, searchPaths } from './family.ts'
import { launchNode } from './node-process.ts'

const extensions = ['.js', '.mjs', '.cjs']

export const node: Family = {
  missing: async () => undefined,
  launch: async (deployment, { bootstrap, inspect, isolation }) => {
    const { handler, memoryMb, environment, mounts, temporaryMb, seen } = deployment
    const { taskRoot } = seen
    const code = { source: moduleOf(deployment), handler, taskRoot, environment, mounts, temporaryMb }
    const launch: Launch = launchNode(bootstrap, code, { mode: 'serve', memoryMb, maxConcurrency: 1, inspect })
    const defaults = { ...searchPaths(seen, isolation), ...modulePath(deployment), ...deployment.defaults }
    return { ...launch, runtime: deployment.runtime, defaults }
  },
}

/** Of `require` alone, as on the real service: `import` looks only into the folders above the importing file. */
function modulePath({ runtime, seen }: Deployment): Readonly<Record<string, string>> {
  const [, major] = /^nodejs(\d+)/.exec(runtime) ?? []
  const folders = inLayers(seen, `nodejs/node${major}/node_modules`, 'nodejs/node_modules')
  return folders.length === 0 ? {} : { NODE_PATH: pathOf(folders) }
}

/**
 * `dir/file.export`: the module's name ends at the first dot behind the last slash.
 *
 *     index.handler        → index.{js,mjs,cjs}, handler
 *     src/app.orders.run   → src/app.{js,mjs,cjs}, orders.run
 */
function moduleOf({ handler, taskRoot, seen }: Deployment): { readonly file: string; readonly exportName: string } {
  if (handler.includes('..')) {
    const message = "'..' is not valid in a handler string. Use absolute paths when possible."
    throw new LaunchRefusal('Runtime.MalformedHandlerName', message)
  }
  const [, path = '', exportName = ''] = /^(.*?[^/.]*)\.([^/]+)$/.exec(handler) ?? []
  if (path === '' || exportName === '') throw new LaunchRefusal('Runtime.MalformedHandlerName', 'Bad handler')
  const extension = extensions.find((each) => existsSync(join(taskRoot, `${path}${each}`)))
  // One that is not there is for the bootstrap to report, as the official client does.
  return { file: join(seen.taskRoot, `${path}${extension ?? '.js'}`), exportName }
}

/**
 * The functions of a config file as a server describes them that serves it: loaded in a server that keeps nothing and
 * ends at once, so that what is deployed has the very settings that `perdure start` would give it.
 */
import { PerdureClient } from '../../client/client.ts'
import type { DeclaredFunction } from '../../deploy/index.ts'
import { collect } from '../collect.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'

export async function declaredFunctions(config: string): Promise<readonly DeclaredFunction[]> {
  try {
    const { loadConfig, startPerdure } = await serverModules()
    const { functions } = await loadConfig(config)
    const perdure = await startPerdure({
      functions: functions.map((declared) => ({ ...declared, warm: 0 })),
      data: { kind: 'memory' },
      port: 0,
      log: { level: 'error' },
    })
    const client = new PerdureClient(perdure.endpoint)
    const described = await collect(client.functions())
    client.close()
    await perdure.close(0)
    return functions.flatMap((declared) => {
      const configuration = described.find(({ functionName }) => functionName === declared.name)
      if (configuration === undefined) return []
      const { file, exportName = 'handler', environment = {}, concurrency, maxConcurrency = 1, warm = 0 } = declared
      // A remote function has no code here that could be deployed.
      if (file === undefined) return []
      const left = [...(maxConcurrency > 1 ? ['maxConcurrency'] : []), ...(warm > 0 ? ['warm'] : [])]
      return [{ configuration, file, exportName, environment, concurrency, left }]
    })
  } catch (error) {
    throw serverFailure(error, {}, 'nothing was deployed')
  }
}

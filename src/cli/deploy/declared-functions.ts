/**
 * The functions of a config file as a server describes them that serves it: loaded in a server that keeps nothing and
 * ends at once, so that what is deployed has the very settings that `perdure start` would give it.
 */
import { PerdureClient } from '../../client/client.ts'
import type { Declared } from '../../deploy/index.ts'
import { collect } from '../collect.ts'
import { serverFailure } from '../server-failure.ts'
import { serverModules } from '../server-modules.ts'

export async function declaredFunctions(config: string): Promise<Declared> {
  try {
    const { loadConfig, startPerdure } = await serverModules()
    const { functions, runtimes, isolation, functionLogs, destinations, events } = await loadConfig(config)
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
    const given = {
      runtimes: isEmpty(runtimes),
      isolation: isolation === 'none',
      functionLogs: isEmpty(functionLogs),
      destinations: isEmpty(destinations),
      events: isEmpty(events),
    }
    return {
      functions: functions.flatMap((declared) => {
        const configuration = described.find(({ functionName }) => functionName === declared.name)
        const { file, exportName = 'handler', environment = {}, concurrency, asynchronous = {} } = declared
        if (configuration === undefined || file === undefined) return []
        const { maxConcurrency = 1, warm = 0 } = declared
        const left = [...(maxConcurrency > 1 ? ['maxConcurrency'] : []), ...(warm > 0 ? ['warm'] : [])]
        return [{ configuration, file, exportName, environment, concurrency, asynchronous, left }]
      }),
      remote: functions.flatMap(({ name, file }) => (file === undefined ? [name] : [])),
      ofServer: Object.entries(given).flatMap(([member, isDefault]) => (isDefault ? [] : [member])),
    }
  } catch (error) {
    throw serverFailure(error, {}, 'nothing was deployed')
  }
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

/** How the functions' processes are doing, read off the functions room whenever somebody asks. */
import type { GaugeName } from '../service/metric-table.ts'
import type { FunctionLoad, Functions, Metrics } from '../service/ports.ts'

export function measureFunctions(functions: Functions, metrics: Metrics): void {
  const read = (name: GaugeName, look: (load: FunctionLoad) => number): void =>
    metrics.read(name, () => functions.loads?.().map((load) => ({ labels: [load.functionName], value: look(load) })))
  metrics.read('perdure_function_processes', () =>
    functions.loads?.().flatMap(({ functionName, processes, idleProcesses }) => [
      { labels: [functionName, 'idle'], value: idleProcesses },
      { labels: [functionName, 'busy'], value: processes - idleProcesses },
    ]),
  )
  read('perdure_function_running', ({ running }) => running)
  read('perdure_function_waiting', ({ waiting }) => waiting)
  read('perdure_function_oldest_wait_seconds', ({ oldestWaitMs }) => oldestWaitMs / 1_000)
  metrics.read('perdure_workers', () =>
    functions.workers?.().map(({ functionName }) => ({ labels: [functionName], value: 1 })),
  )
  metrics.read('perdure_workers_lost_total', () =>
    [...(functions.lostWorkers?.() ?? [])].map(([functionName, lost]) => ({ labels: [functionName], value: lost })),
  )
}

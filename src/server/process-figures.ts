/** What the process itself tells about its health: memory, CPU time, and how long its event loop lets callers wait. */
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Metrics } from '../service/ports.ts'

/** A tick is expected so often; what it takes beyond that is the delay. */
const TICK_MS = 10

export interface ProcessFigures {
  /** Stops measuring. */
  close(): void
}

export function measureProcess(metrics: Metrics, version: string): ProcessFigures {
  const delay = monitorEventLoopDelay({ resolution: TICK_MS })
  delay.enable()
  let utilization: EventLoopUtilization = performance.eventLoopUtilization()

  metrics.read('perdure_build_info', () => [{ labels: [version, process.version], value: 1 }])
  metrics.read('process_start_time_seconds', () => performance.timeOrigin / 1_000)
  metrics.read('process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  metrics.read('process_resident_memory_bytes', () => process.memoryUsage.rss())
  metrics.read('nodejs_heap_size_used_bytes', () => process.memoryUsage().heapUsed)
  metrics.read('nodejs_external_memory_bytes', () => process.memoryUsage().external)
  // The table's order is the order of reading: the 99th percentile, then the maximum, which begins the next window.
  metrics.read('nodejs_eventloop_lag_p99_seconds', () => beyondTick(delay.percentile(99)))
  metrics.read('nodejs_eventloop_lag_max_seconds', () => {
    const longest = beyondTick(delay.count === 0 ? 0 : delay.max)
    delay.reset()
    return longest
  })
  metrics.read('nodejs_eventloop_utilization', () => {
    const now = performance.eventLoopUtilization()
    const since = performance.eventLoopUtilization(now, utilization)
    utilization = now
    return since.utilization
  })
  return { close: () => void delay.disable() }
}

const beyondTick = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - TICK_MS / 1_000)

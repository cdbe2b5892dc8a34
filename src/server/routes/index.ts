/** Every route, in the order in which paths are tried: the hot one first. */
import type { Route } from '../route.ts'
import { checkpointDurableExecution } from './checkpoint-durable-execution.ts'
import { cloudWatchLogs } from './cloud-watch-logs.ts'
import { deleteDurableExecution } from './delete-durable-execution.ts'
import { getDurableExecution } from './get-durable-execution.ts'
import { getDurableExecutionHistory } from './get-durable-execution-history.ts'
import { getDurableExecutionState } from './get-durable-execution-state.ts'
import { getFunction } from './get-function.ts'
import { getFunctionConfiguration } from './get-function-configuration.ts'
import { healthz } from './healthz.ts'
import { invoke } from './invoke.ts'
import { LAYERS } from './layers.ts'
import { listDurableExecutionsByFunction } from './list-durable-executions-by-function.ts'
import { listFunctions } from './list-functions.ts'
import { MANAGEMENT } from './management.ts'
import { metrics } from './metrics.ts'
import { perdureAttachWorker } from './perdure-attach-worker.ts'
import { perdureClock } from './perdure-clock.ts'
import { perdureClockAdvance } from './perdure-clock-advance.ts'
import { perdureCode } from './perdure-code.ts'
import { perdureLogs } from './perdure-logs.ts'
import { perdureNoop } from './perdure-noop.ts'
import { perdureVersion } from './perdure-version.ts'
import { perdureWorkers } from './perdure-workers.ts'
import { readyz } from './readyz.ts'
import { sendDurableExecutionCallbackFailure } from './send-durable-execution-callback-failure.ts'
import { sendDurableExecutionCallbackHeartbeat } from './send-durable-execution-callback-heartbeat.ts'
import { sendDurableExecutionCallbackSuccess } from './send-durable-execution-callback-success.ts'
import { stopDurableExecution } from './stop-durable-execution.ts'

export const ROUTES: readonly Route[] = [
  checkpointDurableExecution,
  invoke,
  sendDurableExecutionCallbackSuccess,
  sendDurableExecutionCallbackFailure,
  sendDurableExecutionCallbackHeartbeat,
  getDurableExecutionState,
  getDurableExecutionHistory,
  // After its longer siblings: an ARN with real slashes swallows their suffixes.
  getDurableExecution,
  listDurableExecutionsByFunction,
  stopDurableExecution,
  deleteDurableExecution,
  getFunctionConfiguration,
  getFunction,
  listFunctions,
  ...MANAGEMENT,
  cloudWatchLogs,
  ...LAYERS,
  perdureCode,
  perdureLogs,
  perdureWorkers,
  perdureAttachWorker,
  perdureClock,
  perdureClockAdvance,
  perdureVersion,
  perdureNoop,
  healthz,
  readyz,
  metrics,
]

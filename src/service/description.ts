/** One execution as GetDurableExecution shows it (spec 01 §1.3). */
import { indexOf } from '../engine/effects.ts'
import type { ExecutionState } from '../engine/model.ts'
import type { ExecutionKey } from '../journal/store.ts'
import type { DurableConfig, ShownStatus } from '../protocol/shapes.ts'
import type { ExecutionDescription } from './api.ts'
import { Later, type Texts } from './texts.ts'

export function describeExecution(
  state: ExecutionState,
  key: ExecutionKey,
  options: { readonly includeData: boolean; readonly defaultRetentionDays: number; readonly texts: Texts },
): ExecutionDescription | Later<ExecutionDescription> {
  const described = outlineOf(state, options.includeData, options.defaultRetentionDays)
  if (!options.includeData) return described
  const { input, result, error } = state
  const { Status: status } = described
  const data = (inputText: string, resultText: string | undefined): ExecutionDescription => ({
    ...described,
    InputPayload: inputText,
    ...(status === 'SUCCEEDED' && resultText !== undefined ? { Result: resultText } : undefined),
    ...(hasError(status) && error !== undefined ? { Error: error } : undefined),
  })
  if (typeof input === 'string' && typeof result !== 'object') return data(input, result)
  return new Later(async () =>
    data(
      await options.texts.text(input, key),
      result === undefined ? undefined : await options.texts.text(result, key),
    ),
  )
}

const hasError = (status: ShownStatus): boolean => status === 'FAILED' || status === 'TIMED_OUT' || status === 'STOPPED'

function outlineOf(state: ExecutionState, includeData: boolean, defaultRetentionDays: number): ExecutionDescription {
  const { start, startedAt, endedAt } = state
  return {
    DurableExecutionArn: start.arn,
    DurableExecutionName: start.name,
    FunctionArn: start.functionArn,
    Version: start.version,
    Status: indexOf(state).status,
    StartTimestamp: startedAt,
    ...(endedAt === undefined ? undefined : { EndTimestamp: endedAt }),
    ...(start.traceHeader === undefined ? undefined : { TraceHeader: { XAmznTraceId: start.traceHeader } }),
    DurableConfig: effective(start.config, defaultRetentionDays),
    ExecutionDataIncluded: includeData,
  }
}

/** The values frozen at the start, the retention spelled out (spec 01 §1.3). */
const effective = (config: DurableConfig, defaultRetentionDays: number): DurableConfig => ({
  RetentionPeriodInDays: defaultRetentionDays,
  ...config,
})

/** Which function answers each requirement, and how all of them are declared to a server. */
import { join } from 'node:path'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'

/** Longer than any requirement, and within what a synchronous Invoke allows (spec 02 §2.1). */
const DURABLE = { ExecutionTimeout: 900, RetentionPeriodInDays: 1 }

type HandlersOf<Module> = Readonly<Record<string, keyof Module>>

const HANDLERS = {
  step: {
    '1-1': 'greets',
    '1-2': 'greetsUnderName',
    '1-4': 'returnsNestedObject',
    '1-5': 'returnsNull',
    '1-6': 'serialisesInUpperCase',
    '1-8': 'stepThenTwoSecondWait',
    '1-9': 'replaySkipsSucceededStep',
    '1-10': 'replayThrowsFailedStep',
    '1-12': 'exhaustsFourAttempts',
    '1-13': 'retriesByDefault',
    '1-14': 'retriesWithBackoff',
    '1-16': 'doesNotRetryTransientError',
    '1-17': 'crashesAtMostOnceWithoutRetry',
    '1-18': 'crashesAtMostOnceThenRetries',
    '1-20': 'catchesAndGoesOn',
  } satisfies HandlersOf<typeof import('./handlers/step.ts')>,
  wait: {
    '2-1': 'waitsTwoSeconds',
    '2-2': 'waitsUnderName',
    '2-4': 'waitsOneMinute',
    '2-5': 'waitsOneHour',
  } satisfies HandlersOf<typeof import('./handlers/wait.ts')>,
  child: {
    '3-1': 'oneStep',
    '3-2': 'named',
    '3-4': 'failsWithItsStep',
    '3-5': 'failureIsCaught',
    '3-6': 'nested',
    '3-8': 'exhaustsItsRetries',
    '3-9': 'replayedAfterWait',
    '3-10': 'stepAndWaitInside',
    '3-12': 'interruptedAndRunAgain',
    '3-13': 'waitInsideThenStep',
    '3-14': 'serialisesInUpperCase',
    '3-16': 'returnsNull',
    '3-17': 'onlyLogs',
    '3-18': 'stepAndWaitInsideAndAfter',
  } satisfies HandlersOf<typeof import('./handlers/child.ts')>,
  callback: {
    '4-1': 'returnsPayload',
    '4-2': 'namedApproval',
    '4-4': 'fiveSecondHeartbeat',
    '4-5': 'tenSecondHeartbeat',
    '4-6': 'returnsPayload',
    '4-8': 'timeoutBesideStep',
    '4-9': 'fiveSecondWaitFirst',
    '4-10': 'fiveSecondWaitFirst',
    '4-12': 'waitAfterwards',
    '4-13': 'failureCaughtThenWait',
    '4-14': 'timeoutCaughtThenWait',
    '4-16': 'readsNumber',
    '4-17': 'oneAfterTheOther',
    '4-18': 'bothAtOnce',
  } satisfies HandlersOf<typeof import('./handlers/callback.ts')>,
  invoke: {
    '5-1': 'echoes',
    '5-2': 'echoesUnderName',
    '5-4': 'echoesNull',
    '5-5': 'failsWithTarget',
    '5-6': 'catchesFailure',
    '5-8': 'forTenant',
    '5-9': 'replaySkipsInvoke',
    '5-10': 'replayThrowsFailedInvoke',
    '5-12': 'thenStep',
    '5-13': 'insideChildContext',
    '5-14': 'twoInSequence',
    '5-16': 'readsResultInUpperCase',
  } satisfies HandlersOf<typeof import('./handlers/invoke.ts')>,
  'wait-for-condition': {
    '6-1': 'countsToInput',
    '6-2': 'metAtOnce',
    '6-4': 'startsFromFive',
    '6-5': 'asksEveryTwoSeconds',
    '6-6': 'givesUpAfterThreeAttempts',
    '6-8': 'checkThrowsAndIsCaught',
    '6-9': 'objectState',
    '6-10': 'nullState',
    '6-12': 'feedsStep',
    '6-13': 'twoInSequence',
  } satisfies HandlersOf<typeof import('./handlers/wait-for-condition.ts')>,
  'wait-for-callback': {
    '7-1': 'returnsPayload',
    '7-2': 'namedApproval',
    '7-4': 'returnsPayload',
    '7-5': 'threeSecondTimeout',
    '7-6': 'failureCaught',
    '7-8': 'insideChildContext',
    '7-9': 'twoInSequence',
    '7-10': 'afterWaitAndStep',
    '7-12': 'fiveSecondHeartbeat',
    '7-13': 'tenSecondHeartbeat',
    '7-14': 'timeoutCaught',
  } satisfies HandlersOf<typeof import('./handlers/wait-for-callback.ts')>,
  parallel: {
    '8-1': 'oneStepEach',
    '8-2': 'withoutName',
    '8-4': 'resultsOfManyTypes',
    '8-5': 'noBranches',
    '8-6': 'stopsAtFirstFailure',
    '8-8': 'twoSuccessesSuffice',
    '8-9': 'toleratesOneFailure',
    '8-10': 'exceedsToleratedCount',
    '8-12': 'flat',
    '8-13': 'exceedsToleratedPercentage',
    '8-14': 'replaySkipsFinishedBranch',
    '8-16': 'allFailWithinTolerance',
    '8-17': 'tooFewSuccesses',
    '8-18': 'failuresBeforeSuccesses',
    '8-20': 'accessors',
    '8-21': 'nested',
    '8-22': 'exactlyToleratedPercentage',
  } satisfies HandlersOf<typeof import('./handlers/parallel.ts')>,
  map: {
    '9-1': 'greetsEach',
    '9-2': 'withoutName',
    '9-4': 'noItems',
    '9-5': 'stopsAtFirstFailure',
    '9-6': 'rethrows',
    '9-8': 'toleratesOneFailure',
    '9-9': 'exceedsToleratedCount',
    '9-10': 'exceedsToleratedPercentage',
    '9-12': 'flat',
    '9-13': 'namesItems',
    '9-14': 'serialisesItems',
    '9-16': 'largeResult',
    '9-17': 'thenWait',
    '9-18': 'failureThenWait',
    '9-20': 'serialisesWholeResult',
  } satisfies HandlersOf<typeof import('./handlers/map.ts')>,
}

/** The functions that the requirements of chained invoke call. Their names are also in `handlers/invoke.ts`. */
const TARGETS: readonly FunctionDeclaration[] = [
  { name: 'conformance-echo', file: handlerFile('invoke'), exportName: 'echo', durable: DURABLE },
  {
    name: 'conformance-tenant-echo',
    file: handlerFile('invoke'),
    exportName: 'echo',
    durable: DURABLE,
    tenancy: 'PER_TENANT',
  },
  { name: 'conformance-failing', file: handlerFile('invoke'), exportName: 'failing', durable: DURABLE },
]

/** Requirement id → the function that it is about. */
export const FUNCTION_OF: ReadonlyMap<string, FunctionDeclaration> = new Map(
  Object.entries(HANDLERS).flatMap(([file, handlers]) =>
    Object.entries(handlers).map(([id, exportName]) => [
      id,
      { name: `conformance-${id}`, file: handlerFile(file), exportName, durable: DURABLE },
    ]),
  ),
)

/** What a server must know to answer these requirements. */
export function declarationsFor(ids: readonly string[]): readonly FunctionDeclaration[] {
  const functions = ids.flatMap((id) => FUNCTION_OF.get(id) ?? [])
  return ids.some((id) => id.startsWith('5-')) ? [...functions, ...TARGETS] : functions
}

function handlerFile(name: string): string {
  return join(import.meta.dirname, 'handlers', `${name}.ts`)
}

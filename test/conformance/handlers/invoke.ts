/**
 * Handlers for the requirements of the group `invoke` (5-x), and the durable functions that they call. Each invoke has
 * a name, since without one the SDK would take an input that is a text for the name of the function.
 */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

/** The names that `functions.ts` declares the called functions under. */
export const ECHO = 'conformance-echo'
export const TENANT_ECHO = 'conformance-tenant-echo'
export const FAILING = 'conformance-failing'

export const echo = withDurableExecution<unknown, unknown>(async (event) => event)

export const failing = withDurableExecution<unknown, never>(async () => {
  throw new Error('the called function fails')
})

/** The ARN of a function of the caller's account and region, qualified as durable functions must be. */
function target(context: DurableContext, name: string): string {
  const ownArn: string = context.lambdaContext.invokedFunctionArn
  return [...ownArn.split(':').slice(0, 6), name, '$LATEST'].join(':')
}

export const echoes = withDurableExecution<string, unknown>((event, context) =>
  context.invoke('echo', target(context, ECHO), event),
)

export const echoesUnderName = withDurableExecution<{ name: string; payload: string }, unknown>((event, context) =>
  context.invoke(event.name, target(context, ECHO), event.payload),
)

export const echoesNull = withDurableExecution<unknown, unknown>((_event, context) =>
  context.invoke('echo', target(context, ECHO), null),
)

export const failsWithTarget = withDurableExecution<unknown, unknown>((event, context) =>
  context.invoke('failing', target(context, FAILING), event),
)

export const catchesFailure = withDurableExecution<unknown, unknown>(async (event, context) => {
  try {
    return await context.invoke('failing', target(context, FAILING), event)
  } catch {
    return 'fallback'
  }
})

export const forTenant = withDurableExecution<{ tenantId: string; payload: string }, unknown>((event, context) =>
  context.invoke('tenant-echo', target(context, TENANT_ECHO), event.payload, { tenantId: event.tenantId }),
)

export const replaySkipsInvoke = withDurableExecution<unknown, unknown>(async (event, context) => {
  const value = await context.invoke('echo', target(context, ECHO), event)
  await context.wait({ seconds: 1 })
  return value
})

export const replayThrowsFailedInvoke = withDurableExecution<unknown, string>(async (event, context) => {
  let caught = 'nothing'
  try {
    await context.invoke('failing', target(context, FAILING), event)
  } catch (error) {
    caught = String(error)
  }
  await context.wait({ seconds: 1 })
  return caught
})

export const thenStep = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const value = await context.invoke<string, string>('echo', target(context, ECHO), 'invoked')
  return context.step(async () => `${value} and used`)
})

export const insideChildContext = withDurableExecution<unknown, unknown>((event, context) =>
  context.runInChildContext('calls', (child) => child.invoke('echo', target(context, ECHO), event)),
)

export const twoInSequence = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const first = await context.invoke<string, string>('echo', target(context, ECHO), 'first')
  const second = await context.invoke<string, string>('echo', target(context, ECHO), 'second')
  return [first, second]
})

export const readsResultInUpperCase = withDurableExecution<string, string>((event, context) =>
  context.invoke<string, string>('echo', target(context, ECHO), event, {
    resultSerdes: {
      serialize: async (value) => value,
      deserialize: async (data) => data?.toUpperCase(),
    },
  }),
)

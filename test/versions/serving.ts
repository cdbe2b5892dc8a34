/** A functions room that serves the functions of a registry. */
import type { TestContext } from 'node:test'
import type { LocalFunctions, LocalFunctionsOptions } from '../../src/functions/local-functions.ts'
import { createSystemEntropy } from '../../src/service/clock-adapters.ts'
import type { FunctionVersion, InvocationResult } from '../../src/service/ports.ts'
import { responseOf, serve } from '../functions/project.ts'
import { Registered } from './registered.ts'

const entropy = createSystemEntropy()
const never = new AbortController().signal

export interface Serving {
  readonly registered: Registered
  readonly functions: LocalFunctions
  version(name: string, qualifier?: string): FunctionVersion
  invoke(name: string, qualifier?: string, event?: unknown): Promise<InvocationResult>
  /** What the function answered; the test fails with anything else that came. */
  answer(name: string, qualifier?: string, event?: unknown): Promise<unknown>
}

export async function serveRegistered(
  t: TestContext,
  options: Partial<LocalFunctionsOptions> & { readonly registered?: Registered } = {},
): Promise<Serving> {
  const registered = options.registered ?? new Registered()
  const functions = await serve(t, options.declarations ?? [], { ...options, registered })
  const version: Serving['version'] = (name, qualifier) => {
    const found = functions.resolve(name, qualifier)
    if (found === undefined) throw new Error(`there is no ${name}:${qualifier}`)
    return found
  }
  const invoke: Serving['invoke'] = async (name, qualifier, event = {}) => {
    const slot = await functions.reserve(version(name, qualifier), undefined, never)
    return slot.run({ requestId: entropy.uuid(), event: JSON.stringify(event) })
  }
  return {
    registered,
    functions,
    version,
    invoke,
    answer: async (name, qualifier, event) => responseOf(await invoke(name, qualifier, event)),
  }
}

const patienceMs = 30_000

/** Looks until it is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

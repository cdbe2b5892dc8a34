import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { RuntimeError } from './failure.ts'

export interface HandlerSource {
  /** The handler's module, absolute. */
  readonly file: string
  readonly exportName: string
  /** An ES module bundled from `file`, loaded in its place and under its URL. */
  readonly bundle?: string
  /** Directories of the modules inlined in the bundle: packages they import may live beside them only. */
  readonly bundledFrom?: readonly string[]
}

export type Handler = (event: unknown, context: unknown, callback: unknown) => unknown

/** Imports the module and picks the exported handler. Throws with the error types of spec 10 §10.1. */
export async function loadHandler(source: HandlerSource): Promise<Handler> {
  const url = pathToFileURL(source.file).href
  if (source.bundle !== undefined) serveBundle(url, source.bundle, source.bundledFrom ?? [])
  const loaded = await importModule(url, source.file)
  const handler = exported(loaded, source.exportName)
  const name = `${source.file}#${source.exportName}`
  if (handler === undefined) throw new RuntimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`)
  if (typeof handler !== 'function') throw new RuntimeError('Runtime.HandlerNotFound', `${name} is not a function`)
  return handler as Handler
}

async function importModule(url: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>
  } catch (error) {
    if (error instanceof SyntaxError) throw syntaxError(error, file)
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (error instanceof Error && (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')) {
      throw new RuntimeError('Runtime.ImportModuleError', String(error), error.stack)
    }
    throw error
  }
}

/** With its place, which Node has in the stack for CommonJS but tells for an ES module only when asked to check it. */
function syntaxError(error: SyntaxError, file: string): RuntimeError {
  const placed = /^\S+:\d+\n/
  let stack = error.stack ?? String(error)
  if (!placed.test(stack)) {
    const checked = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr
    // Nothing is found when the mistake is in a module that this one imports.
    if (placed.test(checked)) stack = checked.trim()
  }
  const [place] = placed.exec(stack) ?? []
  const message = place === undefined ? String(error) : `${String(error)} (${place.trim()})`
  return new RuntimeError('Runtime.UserCodeSyntaxError', message, stack)
}

/** `a.b` reaches into exported objects; members of a CommonJS module that Node's lexer did not see are on `default`. */
function exported(loaded: Readonly<Record<string, unknown>>, exportName: string): unknown {
  return member(loaded, exportName) ?? member(loaded['default'], exportName)
}

function member(value: unknown, path: string): unknown {
  let current = value
  for (const name of path.split('.')) {
    if ((typeof current !== 'object' && typeof current !== 'function') || current === null) return undefined
    current = (current as Readonly<Record<string, unknown>>)[name]
  }
  return current
}

/**
 * The bundle takes the place of the handler's own module, under the handler's URL: packages resolve from where the
 * handler lies, `import.meta.url` is what its author expects, and nothing is written into the user's directories.
 */
function serveBundle(handlerUrl: string, bundle: string, bundledFrom: readonly string[]): void {
  const parents = bundledFrom.map((directory) => pathToFileURL(`${directory}/bundled.js`).href)
  registerHooks({
    load: (url, context, nextLoad) =>
      url === handlerUrl
        ? { format: 'module', source: readFileSync(bundle, 'utf8'), shortCircuit: true }
        : nextLoad(url, context),
    resolve: (specifier, context, nextResolve) => {
      if (context.parentURL !== handlerUrl) return nextResolve(specifier, context)
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        for (const parentURL of parents) {
          try {
            return nextResolve(specifier, { ...context, parentURL })
          } catch {
            // Not there either; when it is nowhere, the first error is the one to tell.
          }
        }
        throw error
      }
    },
  })
}

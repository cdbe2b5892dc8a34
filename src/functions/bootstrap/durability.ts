/**
 * Tells a durable handler from a plain one without calling it: a plain handler must not run just to be looked at.
 *
 * `withDurableExecution` of the official SDK returns a function of its own, so the question is where the code of the
 * exported function lies. V8 knows: the inspector, opened inside this process without any port, gives the script and
 * position of a function. That holds however the function is named or exported, and for bound functions too.
 * Handlers that were bundled together with the SDK lie in the bundle: there its source map tells, or the name of the
 * event check, which is in the text of the returned function unless the bundle was minified.
 */
import { type Runtime, Session } from 'node:inspector'
import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

const sdkPackage = 'durable-execution-sdk-js'
const eventCheck = 'validateDurableExecutionEvent('
const slot = Symbol.for('perdure.probed-handler')

export function isDurableHandler(handler: (...args: never[]) => unknown): boolean {
  const place = locate(handler)
  if (place === undefined) return false
  return place.url.includes(sdkPackage) || isMappedToSdk(place) || place.text.includes(eventCheck)
}

interface Place {
  readonly url: string
  readonly line: number
  readonly column: number
  readonly text: string
}

function locate(handler: (...args: never[]) => unknown): Place | undefined {
  const session = new Session()
  session.connect()
  try {
    const urls = new Map<string, string>()
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
    session.post('Debugger.enable')
    Object.defineProperty(globalThis, slot, { value: handler, configurable: true })
    let objectId: string | undefined
    session.post('Runtime.evaluate', { expression: `globalThis[Symbol.for('${slot.description}')]` }, (_, answer) => {
      objectId = answer.result.objectId
    })
    while (objectId !== undefined) {
      let internals: readonly Runtime.InternalPropertyDescriptor[] = []
      let description = ''
      session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, answer) => {
        internals = answer.internalProperties ?? []
      })
      session.post(
        'Runtime.callFunctionOn',
        { objectId, functionDeclaration: 'function () { return Function.prototype.toString.call(this) }' },
        (_, answer) => {
          description = String(answer.result.value ?? '')
        },
      )
      const target = internals.find(({ name }) => name === '[[TargetFunction]]')?.value?.objectId
      if (target !== undefined) {
        objectId = target
        continue
      }
      const location = internals.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value
      if (!isLocation(location)) return undefined
      return {
        url: urls.get(location.scriptId) ?? '',
        line: location.lineNumber,
        column: location.columnNumber,
        text: description,
      }
    }
    return undefined
  } finally {
    Reflect.deleteProperty(globalThis, slot)
    session.disconnect()
  }
}

function isLocation(
  value: unknown,
): value is { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number } {
  return typeof value === 'object' && value !== null && 'scriptId' in value && 'lineNumber' in value
}

function isMappedToSdk({ url, line, column }: Place): boolean {
  if (!url.startsWith('file:')) return false
  const entry = findSourceMap(fileURLToPath(url))?.findEntry(line, column)
  return entry !== undefined && 'originalSource' in entry && entry.originalSource.includes(sdkPackage)
}

/**
 * The official SDK fails an execution whose code does other things on replay than it did before (spec 10 §10.6). Its
 * message says what differs; what a developer needs beside it is what to do, in the log of that invocation.
 *
 *     {"Status":"FAILED","Error":{"ErrorType":"NonDeterministicExecutionError","ErrorMessage":"… Operation name mismatch
 *      for step "1". Expected name "reserve", but got "book". …"}}
 *     → [perdure] Replay no longer matches the journal: the operation "reserve" (1) is now called "book".
 *       [perdure] …
 */
const marker = 'Non-deterministic execution detected'
const mismatch = /Operation (type|name|subtype) mismatch for step "(.*?)"\. Expected \w+ "(.*?)", but got "(.*?)"\./

/** The lines to log; none when the output is anything else. */
export function explainReplayMismatch(output: Uint8Array, executionArn: string | undefined): readonly string[] {
  const text = Buffer.from(output.buffer, output.byteOffset, output.byteLength)
  if (!text.subarray(0, 64).includes('"FAILED"') || !text.includes(marker)) return []
  const found = mismatch.exec(messageOf(text.toString('utf8')))
  if (found === null) return []
  const [, what = '', id = '', before = '', now = ''] = found
  const execution = executionArn === undefined ? 'The execution' : `The execution ${executionArn}`
  return [
    `[perdure] Replay no longer matches the journal: ${difference(what, id, before, now)}.`,
    `[perdure] ${execution} began with other code, or code that decides by time or chance outside of steps, and has failed.`,
    '[perdure] Keep the order, kinds and names of operations that running executions have behind them: add new ones ' +
      'after them, or undo the change until those executions have ended. Start this one again to run the new code.',
  ]
}

function difference(what: string, id: string, before: string, now: string): string {
  if (what === 'name')
    return `the operation ${quoted(before)} (${id}) is now ${now === 'undefined' ? 'without a name' : `called "${now}"`}`
  return `the operation ${id} was of ${what} ${before} and is now ${now}`
}

const quoted = (name: string): string => (name === 'undefined' ? 'without a name' : `"${name}"`)

function messageOf(output: string): string {
  try {
    const { Error: error } = JSON.parse(output) as { readonly Error?: { readonly ErrorMessage?: string } }
    return String(error?.ErrorMessage)
  } catch {
    // Not an output of the SDK; whoever reads it as one will say so.
    return ''
  }
}

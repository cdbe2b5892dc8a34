/**
 * A ledger outside Perdure: an append-only file that the example functions write themselves, so that anybody can check
 * what really ran, and how often, without trusting the server's own history.
 *
 * Written only when the environment variable PERDURE_LEDGER names a file. One line per fact, tab-separated:
 *
 *     <time>  ran       <execution name>  <step>  <process id>     the step's code starts
 *     <time>  finished  <execution name>  <step>  <process id>     the line after the step's `await` was reached
 *
 * A workflow that resumes reaches the line after a finished step again, so `finished` may repeat. What must never
 * happen is `ran` after the first `finished` of the same step.
 */
import { appendFileSync } from 'node:fs'

export interface Ledger {
  ran(step: string): void
  finished(step: string): void
}

/** The ledger as one execution writes it; `executionArn` is `context.executionContext.durableExecutionArn`. */
export function ledgerOf(executionArn: string): Ledger {
  const file = process.env['PERDURE_LEDGER']
  const execution = executionArn.split('/').at(-2) ?? executionArn
  const write = (fact: 'ran' | 'finished', step: string) => {
    if (file === undefined || file === '') return
    appendFileSync(file, `${new Date().toISOString()}\t${fact}\t${execution}\t${step}\t${process.pid}\n`)
  }
  return { ran: (step) => write('ran', step), finished: (step) => write('finished', step) }
}

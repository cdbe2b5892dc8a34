/**
 * Reads the ledger that the example functions write outside Perdure (`examples/world/ledger.ts`) and judges it: no step
 * may run again once the line after its `await` was reached. Pure but for `readLedger`.
 */
import { readFile } from 'node:fs/promises'
import { tableLines } from '../render/table.ts'
import type { Paint } from '../terminal.ts'

export interface LedgerLine {
  readonly fact: 'ran' | 'finished'
  readonly execution: string
  readonly step: string
  readonly pid: number
}

export interface StepAudit {
  readonly execution: string
  readonly step: string
  /** How often its code started. */
  readonly ran: number
  readonly finished: boolean
  /** How often its code started after it had finished: must be 0. */
  readonly ranAfterFinishing: number
  /** Processes that ran it, in order. */
  readonly pids: readonly number[]
}

/** The facts in a ledger's text. A last line without its end was cut by a crash and is left out. */
export function parseLedger(text: string): readonly LedgerLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, fact, execution, step, pid] = line.split('\t')
      if ((fact !== 'ran' && fact !== 'finished') || execution === undefined || step === undefined) {
        throw new Error(`not a line of a ledger: ${line}`)
      }
      return { fact, execution, step, pid: Number(pid) }
    })
}

/** What the ledger file holds now; nothing when it does not exist yet. */
export async function readLedger(file: string): Promise<readonly LedgerLine[]> {
  try {
    return parseLedger(await readFile(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** One audit per step of the executions, in the order in which they first ran. */
export function auditLedger(lines: readonly LedgerLine[], executions: ReadonlySet<string>): readonly StepAudit[] {
  const audits = new Map<string, { -readonly [member in keyof StepAudit]: StepAudit[member] } & { pids: number[] }>()
  for (const { fact, execution, step, pid } of lines) {
    if (!executions.has(execution)) continue
    const key = `${execution}\t${step}`
    const audit = audits.get(key) ?? { execution, step, ran: 0, finished: false, ranAfterFinishing: 0, pids: [] }
    audits.set(key, audit)
    if (fact === 'finished') {
      audit.finished = true
    } else {
      audit.ran += 1
      audit.pids.push(pid)
      if (audit.finished) audit.ranAfterFinishing += 1
    }
  }
  return [...audits.values()]
}

/** What is wrong, a sentence each; empty when the ledger proves what it should. */
export function ledgerFaults(audits: readonly StepAudit[], expectedSteps: readonly string[]): readonly string[] {
  const missing = expectedSteps.filter((step) => !audits.some((audit) => audit.step === step))
  return [
    ...missing.map((step) => `step "${step}" is not in the ledger`),
    ...audits.filter((audit) => !audit.finished).map((audit) => `step "${audit.step}" never finished`),
    ...audits
      .filter((audit) => audit.ranAfterFinishing > 0)
      .map((audit) => `step "${audit.step}" ran ${audit.ranAfterFinishing} times more after it had finished`),
  ]
}

export function auditLines(audits: readonly StepAudit[], paint: Paint): readonly string[] {
  const rows = audits.map((audit) => [
    audit.step,
    String(audit.ran),
    audit.finished ? 'yes' : 'NO',
    String(audit.ranAfterFinishing),
    audit.pids.join(', '),
  ])
  const head = ['STEP', 'RAN', 'FINISHED', 'RAN AFTER FINISHING', 'IN PROCESSES']
  return tableLines({ head, rows, right: [1, 3] }, paint)
}

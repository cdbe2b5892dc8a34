/** What both demos do: place the order, watch it, have somebody approve it, and judge the ledger. */
import type { PerdureClient } from '../../client/client.ts'
import { parseExecutionArn } from '../../protocol/arn.ts'
import { CliFailure } from '../failure.ts'
import { pause } from '../pause.ts'
import { allNodes, type ExecutionTree } from '../render/execution-tree.ts'
import type { Terminal } from '../terminal.ts'
import { watchExecution } from '../watch.ts'
import { auditLedger, auditLines, ledgerFaults, readLedger } from './ledger-audit.ts'
import type { Narrator } from './narrator.ts'
import { APPROVER, EXPECTED_STEPS, orderPayload } from './order.ts'

export interface Setting {
  /** Folder of the server's data, there already. */
  readonly data: string
  /** File that the functions write as their ledger. */
  readonly ledger: string
  /** Name of the order's execution. */
  readonly name: string
  /** Asked for; undefined: the usual one, if it is free. */
  readonly port: number | undefined
  readonly terminal: Terminal
  readonly stop: AbortSignal
}

export interface OrderRun {
  readonly client: PerdureClient
  readonly setting: Setting
  readonly narrator: Narrator
  /** Called once while the approval waits, before it is answered. */
  readonly beforeApproval: () => Promise<void>
  /** Aborted when the demo around the order has failed; whoever aborted it says why. */
  readonly broken: AbortSignal
}

/** The order must end within this, crashes included; otherwise something hangs and the demo says so. */
const patienceMs = 120_000
/** How long the human thinks. */
const approvalMs = 2_000

/** Runs the order to its end; true when it succeeded and the ledger holds. */
export async function runOrder(run: OrderRun): Promise<boolean> {
  const { client, setting, narrator } = run
  const { terminal, name } = setting
  const placed = await client.invoke({
    functionName: 'order',
    qualifier: '$LATEST',
    invocationType: 'Event',
    durableExecutionName: name,
    payload: orderPayload(name),
  })
  const arn = placed.durableExecutionArn
  if (arn === undefined)
    throw new CliFailure({ cause: 'the function "order" is not durable', fix: 'check examples/order.ts' })

  const signal = AbortSignal.any([setting.stop, AbortSignal.timeout(patienceMs)])
  const approval = new Approval(run)
  const tree = await narrator.whileWatching((takeNotes) =>
    watchExecution({
      client,
      arn,
      terminal,
      signal: AbortSignal.any([signal, approval.broken, run.broken]),
      patient: true,
      takeNotes,
      onChange: (changed) => approval.look(changed, signal),
    }),
  )
  await approval.settled
  if (setting.stop.aborted || run.broken.aborted) return false
  if (tree === undefined || tree.status === 'RUNNING') {
    terminal.err(`perdure: the order did not end within ${patienceMs / 1000} s`)
    return false
  }
  return (await judge(setting, tree, arn)) && tree.status === 'SUCCEEDED'
}

/** The human of the demo: sees the callback in the history and answers it after a moment, once. */
class Approval {
  readonly #run: OrderRun
  readonly #failure = new AbortController()
  #asked: Promise<void> | undefined

  constructor(run: OrderRun) {
    this.#run = run
  }

  /** Aborted when the answer could not be given: nothing would ever end then. */
  get broken(): AbortSignal {
    return this.#failure.signal
  }

  /** Rejects with why the answer could not be given. */
  get settled(): Promise<void> {
    return this.#asked ?? Promise.resolve()
  }

  look(tree: ExecutionTree, signal: AbortSignal): void {
    if (this.#asked !== undefined) return
    for (const node of allNodes(tree.roots)) {
      if (node.callbackId === undefined || node.status !== 'waiting') continue
      this.#asked = this.#answer(node.callbackId, signal)
      // Watched by `settled`; here only the watching is ended.
      this.#asked.catch((error: unknown) => this.#failure.abort(error))
      return
    }
  }

  async #answer(callbackId: string, signal: AbortSignal): Promise<void> {
    const { client, narrator, beforeApproval } = this.#run
    await pause(approvalMs / 2, signal)
    if (signal.aborted) return
    await beforeApproval()
    await pause(approvalMs / 2, signal)
    if (signal.aborted) return
    await client.sendDurableExecutionCallbackSuccess({ callbackId, result: APPROVER })
    narrator.act(`${APPROVER} approved the order`)
  }
}

/** Prints what the ledger says of the order and the payment that it started. */
async function judge({ ledger, terminal }: Setting, tree: ExecutionTree, arn: string): Promise<boolean> {
  const arns = [arn, ...[...allNodes(tree.roots)].flatMap(({ childArn }) => childArn ?? [])]
  const names = new Set(arns.flatMap((each) => parseExecutionArn(each)?.name ?? []))
  const audits = auditLedger(await readLedger(ledger), names)
  const faults = ledgerFaults(audits, EXPECTED_STEPS)
  terminal.out('')
  terminal.out(terminal.paint('bold', 'The ledger, which the functions wrote themselves, outside Perdure:'))
  for (const line of auditLines(audits, terminal.paint)) terminal.out(`  ${line}`)
  terminal.out('')
  for (const fault of faults) terminal.out(terminal.paint('red', `✗ ${fault}`))
  if (faults.length === 0) {
    terminal.out(
      terminal.paint('green', `✓ ${audits.length} steps finished, and none ran again after it had finished.`),
    )
  }
  return faults.length === 0
}

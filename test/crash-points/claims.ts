/**
 * The promises, asked of one cell: what clients were told, what the ledger says and what the histories say must agree.
 * `holds` counts the claims that were looked at and did.
 */
import type { Effect } from './evidence.ts'

/** A history event as it comes over the wire: times in epoch seconds. */
export interface WireEvent {
  readonly EventId: number
  readonly EventType: string
  readonly EventTimestamp: number
  readonly Id?: string
  readonly Name?: string
  readonly WaitStartedDetails?: { readonly ScheduledEndTimestamp: number }
  readonly StepSucceededDetails?: { readonly RetryDetails?: { readonly NextAttemptDelaySeconds?: number } }
  readonly InvocationCompletedDetails?: { readonly RequestId: string; readonly Error?: unknown }
  readonly ChainedInvokeStartedDetails?: { readonly DurableExecutionArn?: string }
}

const TERMINAL = /^Execution(Succeeded|Failed|TimedOut|Stopped)$/
/** Steps may begin several times, invocations end several times; everything else happens to an operation once. */
const REPEATABLE = new Set(['StepStarted', 'StepFailed', 'InvocationCompleted'])

export class Claims {
  held = 0
  readonly broken: string[] = []

  check(holds: boolean, words: string): void {
    if (holds) this.held += 1
    else this.broken.push(words)
  }

  /** P1, P3, P5: numbered 1 to n, nothing twice, nothing after the end. */
  history(name: string, events: readonly WireEvent[]): void {
    this.check(
      events.every(({ EventId }, index) => EventId === index + 1),
      `${name}: its EventIds are not 1 to n`,
    )
    const ends = events.filter(({ EventType }) => TERMINAL.test(EventType))
    this.check(ends.length === 1 && ends[0] === events.at(-1), `${name}: it has ${ends.length} ends, or not last`)
    const seen = new Map<string, number>()
    for (const { EventType, Id = '' } of events) {
      if (!REPEATABLE.has(EventType)) seen.set(`${EventType} of ${Id}`, (seen.get(`${EventType} of ${Id}`) ?? 0) + 1)
    }
    const doubled = [...seen].filter(([, times]) => times > 1).map(([what]) => what)
    this.check(doubled.length === 0, `${name}: doubled events: ${doubled.join(', ')}`)
    const requests = events.flatMap(({ InvocationCompletedDetails: details }) => details?.RequestId ?? [])
    this.check(new Set(requests).size === requests.length, `${name}: an invocation ended twice`)
    this.check(
      events.every(({ EventTimestamp }, index) => EventTimestamp >= (events[index - 1]?.EventTimestamp ?? 0)),
      `${name}: its time goes back`,
    )
  }

  /**
   * P1: a step that the workflow went on from is in the history once, and its code never ran again; before that it ran
   * once per attempt, and once more for each invocation that was lost. At most `mayLose` were.
   */
  steps(name: string, events: readonly WireEvent[], ledger: readonly Effect[], mayLose: number): void {
    const lost = events.filter(({ InvocationCompletedDetails }) => InvocationCompletedDetails?.Error !== undefined)
    this.check(lost.length <= mayLose, `${name}: ${lost.length} invocations were lost, at most ${mayLose} could be`)
    const own = ledger.filter(({ execution }) => execution === name)
    for (const step of new Set(own.filter(({ word }) => word === 'ran').map(({ detail }) => detail))) {
      const of = (type: string): number =>
        events.filter(({ EventType, Name }) => EventType === type && Name === step).length
      const runs = own.filter(({ word, detail }) => word === 'ran' && detail === step).length
      const attempts = 1 + of('StepFailed')
      this.check(of('StepSucceeded') === 1, `${name}: step ${step} succeeded ${of('StepSucceeded')} times`)
      this.check(
        runs <= attempts + lost.length,
        `${name}: step ${step} ran ${runs} times in ${attempts} attempts with ${lost.length} lost invocations`,
      )
      const done = own.findIndex(({ word, detail }) => word === 'done' && detail === step)
      const again = own.findLastIndex(({ word, detail }) => word === 'ran' && detail === step) > done
      this.check(done >= 0 && !again, `${name}: step ${step} was acknowledged and ran again, or never was`)
    }
  }

  /** P4: a wait ends at or after its time, in the journal and in the code. */
  waits(name: string, events: readonly WireEvent[], ledger: readonly Effect[]): void {
    for (const { Id, Name = '', WaitStartedDetails } of events) {
      if (WaitStartedDetails === undefined) continue
      const dueMs = WaitStartedDetails.ScheduledEndTimestamp * 1_000
      const ended = events.find(({ EventType, Id: id }) => EventType === 'WaitSucceeded' && id === Id)
      const woke = ledger.find(
        (effect) => effect.word === 'woke' && effect.execution === name && effect.detail === Name,
      )
      this.check(ended !== undefined && ended.EventTimestamp * 1_000 >= dueMs - 0.5, `${name}: wait ${Name} was early`)
      this.check(
        woke !== undefined && woke.atMs >= dueMs - 0.5,
        `${name}: the code went on before wait ${Name} was over`,
      )
    }
  }
}

/** What the driver measures of the server from outside: each figure of the time since the last sample, and of the run. */
import { Histogram } from './histogram.ts'

class Measure {
  readonly recent = new Histogram()
  readonly run = new Histogram()

  add(value: number): void {
    this.recent.add(value)
    this.run.add(value)
  }
}

export class Measures {
  /** A raw checkpoint, from the function's request to its answer. */
  readonly checkpointMs = new Measure()
  /** Of a quick execution: from the first call that starts it to its end in the journal. */
  readonly startToEndMs = new Measure()
  /** Timers that fired in peace, and timers that were due while the server or its functions were disturbed. */
  readonly latenessMs = new Measure()
  readonly latenessAfterFaultMs = new Measure()
  /** The same, counted from the end of the disturbance: what recovery adds. */
  readonly recoveryMs = new Measure()
  executions = 0
  checkpoints = 0
  timers = 0
}

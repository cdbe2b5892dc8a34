import { invalidParameter } from '../protocol/errors.ts'
import type { ClockControl } from './route.ts'

/** Test mode only: a server on the system's time has no clock to ask or to move. */
export function requireManualClock(control: ClockControl | undefined): ClockControl {
  if (control !== undefined) return control
  throw invalidParameter('This server runs on the system clock. Start it with a manual clock to move its time.')
}

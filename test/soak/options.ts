/** What a soak can be told, and what holds when it is told nothing: one minute, for checking the machine itself. */
import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly seed: number
  /** Of the load; calibration before it and draining after it come on top. */
  readonly durationMs: number
  /** Of the executions per second that the calibration measured. */
  readonly share: number
  /** Executions per second, in place of the share. */
  readonly rate: number | undefined
  readonly out: string | undefined
}

const MINUTE_MS = 60_000

export function soakOptions(): SoakOptions {
  const { values } = parseArgs({
    options: {
      hours: { type: 'string' },
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      share: { type: 'string', default: '0.25' },
      rate: { type: 'string' },
      seed: { type: 'string', default: String(process.pid) },
      out: { type: 'string' },
    },
  })
  const { hours = '0', minutes = '0', seconds = '0' } = values
  const durationMs =
    positive('hours', hours) * 60 * MINUTE_MS +
    positive('minutes', minutes) * MINUTE_MS +
    positive('seconds', seconds) * 1_000
  return {
    seed: positive('seed', values.seed),
    durationMs: durationMs === 0 ? 0.5 * MINUTE_MS : durationMs,
    share: positive('share', values.share),
    rate: values.rate === undefined ? undefined : positive('rate', values.rate),
    out: values.out,
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new Error(`--${name} is ${text} and must be a number`)
  return value
}

/** One line of a function's log. Pure. */
import type { LoggedLine } from '../../client/client.ts'
import { type Paint, plain } from '../terminal.ts'
import { printable } from './amounts.ts'

/** `12:00:03.120  order  the line`; what the platform says is dim, what came from stderr is marked. */
export function logLine(record: LoggedLine, paint: Paint = plain): string {
  const time = new Date(record.at)
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')
  const head = paint('dim', `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}  ${record.functionName}`)
  // Tabs are the platform's own separators and harmless; everything else that drives terminals is escaped.
  const text = record.line.split('\t').map(printable).join('\t')
  if (record.stream === 'platform') return `${head}  ${paint('dim', text)}`
  return `${head}  ${record.stream === 'stderr' ? `${paint('yellow', '!')} ${text}` : text}`
}

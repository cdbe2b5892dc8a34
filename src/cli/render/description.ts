/** One thing, member by member. Pure. */
import type { Paint } from '../terminal.ts'
import { printable } from './amounts.ts'

/** Members without a value are left out. */
export function describedLines(
  members: readonly (readonly [name: string, value: string | undefined])[],
  paint: Paint,
): readonly string[] {
  const widest = Math.max(...members.map(([name]) => name.length))
  return members.flatMap(([name, value]) =>
    value === undefined ? [] : [`${paint('dim', name.padEnd(widest))}  ${printable(value)}`],
  )
}

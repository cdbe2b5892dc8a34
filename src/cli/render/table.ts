/** Columns of text, padded to their widest cell. Pure. */
import { type Paint, plain } from '../terminal.ts'

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns to set flush right, by index. */
  readonly right?: readonly number[]
}

export function tableLines(table: Table, paint: Paint = plain): readonly string[] {
  const widths = table.head.map((title, column) =>
    Math.max(title.length, ...table.rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return table.right?.includes(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [paint('dim', line(table.head)), ...table.rows.map(line)]
}

/**
 * Where a command writes. Results go to `out`, everything said about them to `err`, so that output can be piped.
 * Colour only on a terminal, and never when NO_COLOR is set; redrawing only on a terminal that can move its cursor.
 */
import { styleText } from 'node:util'

export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Paint = (style: Style, text: string) => string

export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** Raw text to stdout, without a line end. */
  readonly write: (text: string) => void
  readonly paint: Paint
  /** For what goes to stderr, which may be a terminal when stdout is not. */
  readonly paintErr: Paint
  /** The cursor of stdout can be moved. */
  readonly live: boolean
  /** Glyphs outside ASCII are safe. */
  readonly unicode: boolean
  width(): number
  height(): number
}

export interface Environment {
  readonly [name: string]: string | undefined
}

/** Width of lines where nobody says otherwise: pipes and files. */
const widthWithoutTerminal = 120

export const plain: Paint = (_style, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

const wantsColour = (sink: Sink, env: Environment) =>
  sink.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'

export function terminalOf(stdout: Sink, stderr: Sink, env: Environment): Terminal {
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    write: (text) => void stdout.write(text),
    paint: wantsColour(stdout, env) ? coloured : plain,
    paintErr: wantsColour(stderr, env) ? coloured : plain,
    live: stdout.isTTY === true && env['TERM'] !== 'dumb',
    unicode: env['TERM'] !== 'dumb' && env['TERM'] !== 'linux',
    // A pseudo-terminal that nobody gave a size has 0 of each.
    width: () => stdout.columns || widthWithoutTerminal,
    height: () => stdout.rows || Number.POSITIVE_INFINITY,
  }
}

/** Times and lengths as people read them. Pure. */

/**
 *     7 → "7 ms"   1040 → "1.04 s"   12_300 → "12.3 s"   63_000 → "1 m 03 s"   7_500_000 → "2 h 05 m"   180_000_000 → "2 d 02 h"
 */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms))
  if (whole < 1000) return `${whole} ms`
  const seconds = whole / 1000
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(Math.round(seconds) / 60)
  if (minutes < 60) return `${minutes} m ${two(Math.round(seconds) % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${two(minutes % 60)} m`
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

const two = (value: number) => String(value).padStart(2, '0')

const dayMs = 86_400_000

/** Local time of day, with the date when `at` is not within a day of `nowMs`. */
export function clockTime(at: number, nowMs: number): string {
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return Math.abs(nowMs - at) < dayMs ? time : `${localDate(date)} ${time}`
}

/** Local date and time to the second. */
export function localTime(at: number): string {
  const date = new Date(at)
  return `${localDate(date)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

const localDate = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`

/** 45 → "45 s", 900 → "15 m", 86_400 → "1 d", 5_400 → "1 h 30 m" */
export function seconds(whole: number): string {
  const parts: string[] = []
  let rest = whole
  for (const [unit, length] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    if (rest >= length) parts.push(`${Math.floor(rest / length)} ${unit}`)
    rest %= length
  }
  return parts.length === 0 ? '0 s' : parts.join(' ')
}

/** 1 → "1st", 2 → "2nd", 11 → "11th", 23 → "23rd" */
export function ordinal(n: number): string {
  const tail = n % 100
  if (tail >= 11 && tail <= 13) return `${n}th`
  return `${n}${['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'}`
}

/** 1, "attempt" → "1 attempt"; 2 → "2 attempts" */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/**
 * Text from outside made safe to print on one line: control characters, which could drive a terminal, are shown as
 * their JSON escapes.
 */
export function printable(text: string): string {
  return Array.from(text, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (char === '\n') return '\\n'
    if (char === '\t') return '\\t'
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029 || isBidiControl(code)
      ? `\\u${code.toString(16).padStart(4, '0')}`
      : char
  }).join('')
}

const isBidiControl = (code: number) => (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)

/** "abcdef", 4 → "abc…". Counts code points, which is right for all but wide and combining characters. */
export function shortened(text: string, most: number): string {
  const chars = Array.from(text)
  return chars.length <= most ? text : `${chars.slice(0, Math.max(0, most - 1)).join('')}…`
}

/** A history as a picture: one line a call, time from left to right. */
import { type Call, wordsOf, wordsOfAnswer } from './calls.ts'

const WIDTH = 48
const WORDS = 150

export function timeline(calls: readonly Call[], stuckAt: Call): string {
  const shown = [...calls].sort((a, b) => a.to - b.to || a.from - b.from)
  const moments = [...new Set(shown.flatMap(({ from, to }) => [from, to]).filter(Number.isFinite))].sort(
    (a, b) => a - b,
  )
  const column = (moment: number): number => {
    if (!Number.isFinite(moment)) return WIDTH
    return Math.round((moments.indexOf(moment) / Math.max(1, moments.length - 1)) * (WIDTH - 1))
  }
  return shown.map((call) => `${bar(column(call.from), column(call.to), call === stuckAt)}  ${words(call)}`).join('\n')
}

function bar(from: number, to: number, stuck: boolean): string {
  const open = to === WIDTH
  const length = Math.max(0, Math.min(to, WIDTH - 1) - from - 1)
  const line = from === to ? '│' : `├${'─'.repeat(length)}${open ? '┄' : '┤'}`
  return `${stuck ? '✗' : ' '} ${' '.repeat(from)}${line}`.padEnd(WIDTH + 3)
}

function words({ client, request, answer }: Call): string {
  const text = `${client.padEnd(7)} ${wordsOf(request)} → ${wordsOfAnswer(answer)}`
  return text.length > WORDS ? `${text.slice(0, WORDS)}…` : text
}

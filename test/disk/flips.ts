/**
 * One bit turned somewhere in the files of a stopped server, many times over. Each time one of these must be true: the
 * start refuses and says why; or whatever is read is what was written, or is refused as damaged. Never another answer.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { verifyFolder } from '../../src/data-folder.ts'
import { failureOf } from '../../src/journal/sqlite/failure.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { type Known, openFolder, questions } from './reading.ts'
import type { Tally } from './tally.ts'

export const FILES = ['journal.db', 'journal.db-wal', 'journal.db-mark']

export function copyFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to)
  for (const file of FILES) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file))
}

/** What a sound folder answers. */
export function truthOf(
  folder: string,
  scratch: string,
): { readonly known: Known; readonly truth: Map<string, unknown> } {
  copyFolder(folder, scratch)
  const { reader, close } = openFolder(scratch)
  const functionName = 'hammer'
  const rows = reader.list({ functionName, limit: 1_000 })
  const known = { functionName, rows }
  const truth = new Map([...questions(reader, known)].map(([question, ask]) => [question, ask()]))
  close()
  return { known, truth }
}

type Judgement = 'refused at the start' | 'refused when read' | 'found by verify' | 'harmless'

export function flipBits(options: {
  readonly master: string
  readonly scratch: string
  readonly flips: number
  readonly random: SeededRandom
  readonly tally: Tally
}): void {
  const { master, scratch, flips, random, tally } = options
  const { known, truth } = truthOf(master, scratch)
  const sizes = FILES.filter((file) => existsSync(join(master, file))).map(
    (file) => [file, readFileSync(join(master, file)).length] as const,
  )
  const total = sizes.reduce((sum, [, size]) => sum + size, 0)
  for (let flip = 0; flip < flips; flip += 1) {
    let at = Math.floor(random.fraction() * total)
    // The first pages, where the schema is, and the first frames get more than their share.
    if (random.fraction() < 0.2) at = Math.floor(random.fraction() * Math.min(total, 16_384))
    const [file, offset] = placeOf(sizes, at)
    const bit = Math.floor(random.fraction() * 8)
    copyFolder(master, scratch)
    const bytes = readFileSync(join(scratch, file))
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit)
    writeFileSync(join(scratch, file), bytes)
    const place = `bit ${bit} of byte ${offset} of ${file}`
    try {
      tally.count(`flips ${judge(scratch, known, truth)}`)
      tally.check(true, place)
    } catch (error) {
      tally.check(false, `${place}: ${error instanceof Error ? error.message : String(error)}`)
    }
    tally.count('bits flipped')
  }
}

function placeOf(sizes: readonly (readonly [string, number])[], at: number): readonly [string, number] {
  let left = at
  for (const [file, size] of sizes) {
    if (left < size) return [file, left]
    left -= size
  }
  throw new RangeError(`no byte ${at}`)
}

/** Throws, in words, when the damage went unseen or was told wrongly. */
function judge(folder: string, known: Known, truth: ReadonlyMap<string, unknown>): Judgement {
  let opened: ReturnType<typeof openFolder>
  try {
    opened = openFolder(folder)
  } catch (error) {
    mustTell(error, 'the start')
    return 'refused at the start'
  }
  let refused = false
  try {
    for (const [question, ask] of questions(opened.reader, known)) {
      let answer: unknown
      try {
        answer = ask()
      } catch (error) {
        mustTell(error, question)
        refused = true
        continue
      }
      const dropped = question.startsWith('snapshot') && answer === undefined
      if (!dropped && !isDeepStrictEqual(answer, truth.get(question)))
        throw new Error(`"${question}" is answered wrongly`)
    }
  } finally {
    opened.close()
  }
  if (refused) return 'refused when read'
  return verifyFolder(folder).findings.length > 0 ? 'found by verify' : 'harmless'
}

/** The message says that something is damaged, or that the journal failed, and names a way out. */
function mustTell(error: unknown, where: string): void {
  const { consequence, message } = failureOf(error)
  if (consequence !== 'damaged' && consequence !== 'failed') throw new Error(`${where} says ${consequence}: ${message}`)
  if (!/backup|perdure (verify|repair)|restart|another data directory/.test(message)) {
    throw new Error(`${where} names no way out: ${message}`)
  }
}

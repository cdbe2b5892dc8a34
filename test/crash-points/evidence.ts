/** What is left outside the server and on its disk: the ledger of effects, the tables of the journal. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Effect {
  readonly word: string
  readonly execution: string
  readonly detail: string
  readonly atMs: number
}

/** `<word> <execution> [<detail>] <epoch ms>` a line, in the order in which they happened. */
export function readLedger(file: string): Effect[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = line.split(' ')
      const [word = '', execution = ''] = words
      return { word, execution, detail: words.length > 3 ? (words[2] ?? '') : '', atMs: Number(words.at(-1)) }
    })
}

/** Counts that a journal at rest must have at 0; each names what is wrong with it otherwise. */
const REST: Readonly<Record<string, string>> = {
  'duties are left in the outbox': 'SELECT count(*) AS n FROM outbox',
  'executions are half removed': 'SELECT count(*) AS n FROM purges',
  'executions have not ended': 'SELECT count(*) AS n FROM executions WHERE ended_at IS NULL',
}
const ALWAYS: Readonly<Record<string, string>> = {
  'executions have a gap in their journal':
    'SELECT count(*) AS n FROM (SELECT execution FROM journal WHERE execution NOT IN (SELECT execution FROM purges) ' +
    'GROUP BY execution HAVING min(seq) <> 1 OR max(seq) <> count(*))',
  'journals belong to no execution':
    'SELECT count(DISTINCT execution) AS n FROM journal ' +
    'WHERE execution NOT IN (SELECT key FROM executions UNION SELECT execution FROM purges)',
  'executions have no journal': 'SELECT count(*) AS n FROM executions WHERE key NOT IN (SELECT execution FROM journal)',
  'snapshots belong to no execution':
    'SELECT count(*) AS n FROM snapshots WHERE execution NOT IN (SELECT key FROM executions)',
}

/** What does not hold now, in words; one word for each question asked. */
export function atRest(dataFolder: string): string[] {
  return looked(dataFolder, (db) => wrong(db, REST))
}

export interface Findings {
  readonly questions: number
  readonly wrong: readonly string[]
}

export function auditJournal(dataFolder: string): Findings {
  const found = looked(dataFolder, (db) => {
    const verdicts = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row['integrity_check']))
    return [
      ...verdicts.filter((verdict) => verdict !== 'ok').map((verdict) => `SQLite: ${verdict}`),
      ...wrong(db, { ...REST, ...ALWAYS }),
    ]
  })
  return { questions: 1 + Object.keys(REST).length + Object.keys(ALWAYS).length, wrong: found }
}

function wrong(db: DatabaseSync, questions: Readonly<Record<string, string>>): string[] {
  return Object.entries(questions).flatMap(([words, sql]) => {
    const count = Number(db.prepare(sql).get()?.['n'])
    return count === 0 ? [] : [`${count} ${words}`]
  })
}

/** What the journal holds at this moment, whatever its server is doing. */
export interface Recorded {
  readonly arns: ReadonlySet<string>
  /** `<execution as in the ledger> <step>` of every step whose success is recorded. */
  readonly steps: ReadonlySet<string>
}

/** The part of an entry that names its first events; the rest of a long one is a payload. */
const HEAD_CHARS = 4_000
const STEP_SUCCEEDED = /"type":"StepSucceeded","id":"[^"]*"(?:,"parentId":"[^"]*")?,"name":"([^"]*)"/g

export function recorded(dataFolder: string): Recorded {
  const arns = new Set<string>()
  const steps = new Set<string>()
  looked(dataFolder, (db) => {
    const tables = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'executions'").get()
    if (tables?.['n'] === 0) return []
    for (const { key, arn } of db.prepare('SELECT key, arn FROM executions').all()) {
      arns.add(String(arn))
      const heads = db
        .prepare(`SELECT substr(text, 1, ${HEAD_CHARS}) AS head FROM journal WHERE execution = ? ORDER BY seq`)
        .all(key ?? null)
        .map(({ head }) => String(head))
      // Its name in the ledger is in its input.
      const [, name] = /\\"name\\":\\"([^"\\]*)\\"/.exec(heads[0] ?? '') ?? []
      for (const head of heads) for (const [, step] of head.matchAll(STEP_SUCCEEDED)) steps.add(`${name} ${step}`)
    }
    return []
  })
  return { arns, steps }
}

/** A view of the database through a connection of its own, as short as it can be. */
function looked(dataFolder: string, look: (db: DatabaseSync) => string[]): string[] {
  const file = join(dataFolder, 'journal.db')
  if (!existsSync(file)) return ['there is no journal']
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    return look(db)
  } finally {
    db.close()
  }
}

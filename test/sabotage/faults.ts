/**
 * Deliberate faults, each one or two lines of the product made wrong in a copy. Every one breaks a promise of
 * `docs/guarantees.md` and must be found by at least one of the machines, tried in the order given here.
 */
import type { Edit } from './copy.ts'

export interface Fault {
  /** What is wrong, as a sentence without its end. */
  readonly what: string
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7'
  readonly edits: readonly Edit[]
  /** Names of machines. */
  readonly tried: readonly string[]
}

export const FAULTS: readonly Fault[] = [
  {
    what: 'the log is not synced at a commit',
    promise: 'P1',
    tried: ['power'],
    edits: [
      {
        file: 'src/journal/sqlite/connection.ts',
        find: `db.exec('PRAGMA journal_mode = WAL')\n  db.exec('PRAGMA synchronous = FULL')`,
        replace: `db.exec('PRAGMA journal_mode = WAL')\n  db.exec('PRAGMA synchronous = NORMAL')`,
      },
    ],
  },
  {
    what: 'a checkpoint is answered before its commit',
    promise: 'P1',
    tried: ['simulation', 'crash-points', 'power'],
    edits: [
      {
        file: 'src/service/lane.ts',
        find: `    this.#state = 'committing'\n`,
        replace: `    this.#state = 'committing'\n    round.answer()\n`,
      },
    ],
  },
  {
    what: 'the mark beside the database runs ahead of the log',
    promise: 'P1',
    tried: ['power'],
    edits: [
      {
        file: 'src/journal/sqlite/commit-mark.ts',
        find: 'bytes.writeUInt32BE(log.pages, 16)',
        replace: 'bytes.writeUInt32BE(log.pages + 1, 16)',
      },
    ],
  },
  {
    what: 'the running invocation may use any of its tokens again',
    promise: 'P2',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/token.ts',
        find: 'if (current !== undefined && sameSecret(current, token)) return undefined',
        replace: 'if (current !== undefined && sameSecret(current.slice(0, 42), token.slice(0, 42))) return undefined',
      },
    ],
  },
  {
    what: 'a token of an earlier invocation is accepted',
    promise: 'P2',
    tried: ['linearizability', 'oracle'],
    edits: [
      {
        file: 'src/engine/token.ts',
        find: 'if (current !== undefined && sameSecret(current, token)) return undefined',
        replace: `const parts = parseToken(token)
  if (current !== undefined && parts?.executionId === state.start.executionId) {
    if (sameSecret(current, token) || parts.invocation < (state.invocation?.number ?? 0)) return undefined
  }`,
      },
    ],
  },
  {
    what: 'a second server may open the same folder',
    promise: 'P2',
    tried: ['crash-points'],
    edits: [
      { file: 'src/journal/sqlite/directory-lock.ts', find: `db.exec('BEGIN EXCLUSIVE')`, replace: `db.exec('BEGIN')` },
    ],
  },
  {
    what: 'what came before a refused update of a checkpoint stays',
    promise: 'P3',
    tried: ['oracle'],
    edits: [
      {
        file: 'src/engine/checkpoint.ts',
        find: 'if (error !== undefined) return { error }\n    touched.add(update.Id)',
        replace: 'if (error !== undefined) break\n    touched.add(update.Id)',
      },
    ],
  },
  {
    what: 'ClientToken is ignored',
    promise: 'P3',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/checkpoint.ts',
        find: 'const earlier = acceptedBefore(state, command, facts.now, limits)',
        replace: 'const earlier = undefined as ReturnType<typeof acceptedBefore>',
      },
    ],
  },
  {
    what: 'a repeated checkpoint gets the newest token, not its own',
    promise: 'P3',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/checkpoint.ts',
        find: 'const token = closing ? undefined : mintToken(state.start.executionId, invocation, n + 1)',
        replace: 'const token = closing ? undefined : mintToken(state.start.executionId, invocation, invocation.n)',
      },
    ],
  },
  {
    what: 'an event number is given twice',
    promise: 'P3',
    tried: ['oracle', 'simulation'],
    edits: [
      {
        file: 'src/engine/apply.ts',
        find: 'state.nextEventId += entry.events.length',
        replace: 'state.nextEventId += entry.events.length > 2 ? entry.events.length - 1 : entry.events.length',
      },
    ],
  },
  {
    what: 'the index row of an execution that moved is not written',
    promise: 'P4',
    tried: ['power', 'disk', 'crash-points'],
    edits: [
      {
        file: 'src/journal/sqlite/writer.ts',
        find: 'if (item.index !== undefined) this.#sql.updateIndexRow(key, item.index)',
        replace: 'if (item.index?.endedAt !== undefined) this.#sql.updateIndexRow(key, item.index)',
      },
    ],
  },
  {
    what: 'recovery forgets the timers of suspended executions',
    promise: 'P4',
    tried: ['simulation', 'crash-points'],
    edits: [
      {
        file: 'src/service/watch.ts',
        find: "    this.alarms.set(executionId, wake.dueMs, wake.kind === 'running')",
        replace: "    if (wake.kind === 'running') this.alarms.set(executionId, wake.dueMs, true)",
      },
    ],
  },
  {
    what: 'a wait is over half a second early',
    promise: 'P4',
    tried: ['oracle', 'simulation'],
    edits: [
      {
        file: 'src/engine/operations/wait.ts',
        find: 'scheduledEndAt: fold.at + durationSeconds * 1000 }',
        replace: 'scheduledEndAt: fold.at + durationSeconds * 1000 - 500 }',
      },
    ],
  },
  {
    what: 'an alarm that rang too soon is not set again',
    promise: 'P4',
    tried: ['simulation'],
    edits: [
      {
        file: 'src/service/watch.ts',
        find: 'if (sight.open) this.#rearm(executionId, sight)',
        replace: 'if (sight.open && sight.dispatch) this.#rearm(executionId, sight)',
      },
    ],
  },
  {
    what: 'a finished execution can be stopped',
    promise: 'P5',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/lifecycle.ts',
        find: "if (state.endedAt !== undefined) return { entry: undefined, answer: { kind: 'stopped', at: state.endedAt } }",
        replace: '',
      },
    ],
  },
  {
    what: 'a step that succeeded can fail afterwards',
    promise: 'P5',
    tried: ['oracle'],
    edits: [
      {
        file: 'src/engine/operations/step.ts',
        find: "current === undefined || current.status === 'STARTED' || current.status === 'READY'",
        replace: "current === undefined || current.status !== 'PENDING'",
      },
    ],
  },
  {
    what: 'a callback is accepted again while its completion waits to be drained',
    promise: 'P6',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/completions.ts',
        find: "return operation.status === 'STARTED' && !hasArrived(state, operation.id) && MODULES",
        replace: "return operation.status === 'STARTED' && MODULES",
      },
    ],
  },
  {
    what: 'a callback that was accepted is lost when the function ends first',
    promise: 'P6',
    tried: ['oracle', 'linearizability'],
    edits: [
      {
        file: 'src/engine/inbox.ts',
        find: "if (arrival.kind === 'callback') draft.complete(arrival)",
        replace: "if (arrival.kind === 'callback' && draft.events.length > 99) draft.complete(arrival)",
      },
    ],
  },
  {
    what: 'a start is acknowledged before it is stored',
    promise: 'P7',
    tried: ['simulation', 'crash-points'],
    edits: [
      {
        file: 'src/service/starts.ts',
        find: `      const result = await this.#append(start, request.input)
      if (result.ok) return startedOf(start)`,
        replace: `      const result = { ok: true } as { ok: boolean; reason?: string }
      this.#append(start, request.input).catch(() => {})
      if (result.ok) return startedOf(start)`,
      },
    ],
  },
  {
    what: 'a name may be used again with another input',
    promise: 'P7',
    tried: ['linearizability', 'oracle'],
    edits: [
      {
        file: 'src/service/starts.ts',
        find: "if (row.status === 'DELETING' || row.inputHash !== inputHash || !sameVersion)",
        replace: "if (row.status === 'DELETING' || (row.inputHash !== inputHash && inputHash === '') || !sameVersion)",
      },
    ],
  },
  {
    what: 'the duty to tell a parent about its child is not stored',
    promise: 'P7',
    tried: ['simulation', 'crash-points'],
    edits: [
      { file: 'src/service/round.ts', find: 'outbox: this.duties.map(({ row }) => row),', replace: 'outbox: [],' },
    ],
  },
  {
    what: 'a refused request keeps its place in the queue for ever',
    promise: 'P7',
    tried: ['hostile'],
    edits: [
      {
        file: 'src/server/http-server.ts',
        find: '      return await route.handle(call, this.#routeDeps)\n    } finally {\n      hold.release()\n    }',
        replace: `      const reply = await route.handle(call, this.#routeDeps)
      hold.release()
      return reply
    } finally {
      // nothing
    }`,
      },
    ],
  },
  {
    what: 'an invocation that ran when the server died is not begun again',
    promise: 'P7',
    tried: ['simulation', 'crash-points'],
    edits: [
      {
        file: 'src/service/watch.ts',
        find: "if (wake.kind === 'running') this.#dispatcher().offer({ executionId, functionName, version })",
        replace: '',
      },
    ],
  },
  {
    what: 'the checksum of an entry is not compared',
    promise: 'P1',
    tried: ['disk'],
    edits: [
      {
        file: 'src/journal/sqlite/checksum.ts',
        find: 'stored === null || stored === computed()',
        replace: 'stored === null || computed() !== undefined',
      },
    ],
  },
  {
    what: 'a log that was damaged or cut short is opened all the same',
    promise: 'P1',
    tried: ['disk'],
    edits: [
      {
        file: 'src/journal/sqlite/start-checks.ts',
        find: 'const log = readLog(path)\n  const mark = readMark(path)',
        replace:
          'const mark = readMark(path)\n  if (mark !== undefined || mark === undefined) return\n  const log = readLog(path)',
      },
    ],
  },
  {
    what: 'after a failed sync the store goes on',
    promise: 'P1',
    tried: ['disk'],
    edits: [
      {
        file: 'src/journal/sqlite/failure.ts',
        find: `    default:
      return {
        consequence: 'failed',`,
        replace: `    default:
      return {
        consequence: 'unavailable',`,
      },
    ],
  },
  {
    what: 'a request with two readings is served',
    promise: 'P2',
    tried: ['hostile'],
    edits: [
      {
        file: 'src/server/request-head.ts',
        find: 'if (!oneReading) throw new SeveralReadings()',
        replace: 'if (!oneReading && request.url === undefined) throw new SeveralReadings()',
      },
    ],
  },
]

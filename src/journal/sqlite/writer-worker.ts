/** Entry of the writer's thread. */
import { workerData } from 'node:worker_threads'
import { CommitMark } from './commit-mark.ts'
import { openWriterConnection } from './connection.ts'
import type { WriterReady, WriterRequest, WriterSettings } from './messages.ts'
import { migrate } from './migrate.ts'
import { checkDatabase, checkLog } from './start-checks.ts'
import { serve } from './worker-loop.ts'
import { Writer } from './writer.ts'

serve<Exclude<WriterRequest, { kind: 'close' }>>(() => {
  const settings = workerData as WriterSettings
  checkLog(settings.path)
  const db = openWriterConnection(settings)
  migrate(db)
  checkDatabase(db, settings.path)
  const writer = new Writer(db, new CommitMark(settings.path))
  return {
    role: {
      answer: (request) => writer.commit(request.operations),
      close: ({ leaveLog }) => writer.close(leaveLog),
    },
    ready: { unfinishedPurges: writer.unfinishedPurges } satisfies WriterReady,
  }
})

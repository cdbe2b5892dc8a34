/** Entry of the writer's thread. */
import { workerData } from 'node:worker_threads'
import { openWriterConnection } from './connection.ts'
import type { WriterReady, WriterRequest, WriterSettings } from './messages.ts'
import { migrate } from './migrate.ts'
import { serve } from './worker-loop.ts'
import { Writer } from './writer.ts'

serve<Exclude<WriterRequest, { kind: 'close' }>>(() => {
  const settings = workerData as WriterSettings
  const db = openWriterConnection(settings)
  migrate(db)
  const writer = new Writer(db)
  return {
    role: {
      answer: (request) => writer.commit(request.operations),
      close: () => writer.close(),
    },
    ready: { unfinishedPurges: writer.unfinishedPurges } satisfies WriterReady,
  }
})

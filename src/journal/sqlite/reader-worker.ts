/** Entry of the reader's thread. */
import { workerData } from 'node:worker_threads'
import { openReaderConnection } from './connection.ts'
import type { ReaderRequest, ReaderSettings } from './messages.ts'
import { createReader } from './reader.ts'
import { serve } from './worker-loop.ts'

serve<Exclude<ReaderRequest, { kind: 'close' }>>(() => {
  const settings = workerData as ReaderSettings
  const db = openReaderConnection(settings.path)
  const reader = createReader(db)
  return {
    role: {
      answer: (request) => answer(request),
      close: () => db.close(),
    },
    ready: undefined,
  }

  function answer(request: Exclude<ReaderRequest, { kind: 'close' }>): unknown {
    if (request.kind === 'moveWal') return reader.moveWal()
    // The query belongs to the method of the same name; the compiler cannot follow the pair through the look-up.
    const read = reader[request.kind] as (query: unknown) => unknown
    return read(request.query)
  }
})

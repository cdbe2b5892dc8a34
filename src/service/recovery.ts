/**
 * What a starting service does with what the one before it left (invariant I5): open executions are armed, offered or
 * superseded as their index rows say, page by page and without reading their journals; unsettled duties are delivered.
 */
import { crashPoint } from '../crash-point.ts'
import type { Store } from '../journal/store.ts'
import type { ExecutionFigures } from './execution-figures.ts'
import type { Outbox } from './outbox.ts'
import type { Watch } from './watch.ts'

const PAGE = 500

export async function recover(deps: {
  store: Store
  watch: Watch
  outbox: Outbox
  figures: ExecutionFigures
}): Promise<void> {
  crashPoint('recovery-begun')
  let afterId = ''
  for (;;) {
    const rows = await deps.store.listOpen({ afterId, limit: PAGE })
    for (const row of rows) {
      deps.figures.recovered(row.functionName)
      deps.watch.recover(row)
      crashPoint('recovery-midway')
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) break
    afterId = last.executionId
  }
  crashPoint('recovery-armed')
  await deps.outbox.readRows()
  crashPoint('recovery-done')
}

/** The contract on SQLite, and what only a store on a disk can show. */
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { storeSuite } from './store-suite.ts'
import { temporaryDirectory } from './temporary-directory.ts'

storeSuite({
  name: 'sqlite',
  open: (t) => openSqliteStore({ directory: temporaryDirectory(t) }),
})

import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import { storeSuite } from './store-suite.ts'

storeSuite({ name: 'memory', open: async () => new MemoryStore() })

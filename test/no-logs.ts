import type { Logs } from '../src/service/ports.ts'

/** Of a server that none of its functions' lines reach. */
export const NO_LOGS: Logs = {
  read: async () => ({ records: [], position: 0, complete: true }),
  groups: () => [],
  streams: async () => [],
}

import type { LoggedRecord, LogSelection, Logs } from '../../src/service/ports.ts'

/** Every record that is meant, the oldest first. */
export async function logged(logs: Logs, selection: LogSelection = {}): Promise<readonly LoggedRecord[]> {
  const { records } = await logs.read(selection, { direction: 'forward', after: -1, limit: 1_000_000 })
  return records
}

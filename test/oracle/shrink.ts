/** Delta debugging: the shortest sequence that still shows a difference, by leaving out ever smaller pieces. */
import type { Command } from './commands.ts'

/** `fails` plays a sequence from the beginning; it may take long, so after `patienceMs` the shortest so far is it. */
export async function shrink(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => Promise<boolean>,
  patienceMs = 60_000,
): Promise<readonly Command[]> {
  const deadline = performance.now() + patienceMs
  const stillFails = async (candidate: readonly Command[]): Promise<boolean> =>
    performance.now() < deadline && candidate.length > 0 && (await fails(candidate))
  let current = commands
  for (let size = Math.ceil(current.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < current.length; ) {
      const candidate = [...current.slice(0, from), ...current.slice(from + size)]
      if (await stillFails(candidate)) current = candidate
      else from += size
    }
  }
  return await withFewerUpdates(current, stillFails)
}

/** Then the updates of each checkpoint, one by one. */
async function withFewerUpdates(
  commands: readonly Command[],
  stillFails: (candidate: readonly Command[]) => Promise<boolean>,
): Promise<readonly Command[]> {
  let current = commands
  for (let index = 0; index < current.length; index += 1) {
    for (let update = 0; ; ) {
      const command = current[index]
      if (command?.do !== 'checkpoint' || update >= command.updates.length) break
      const candidate = current.with(index, { ...command, updates: command.updates.toSpliced(update, 1) })
      if (await stillFails(candidate)) current = candidate
      else update += 1
    }
  }
  return current
}

/**
 * The end of the log of an execution's last invocation, for callers who wait for the execution and asked for it (spec 07
 * §7.4). Kept only while somebody waits: who attaches to an execution that has ended gets none.
 */
export class LogTails {
  readonly #wanted = new Map<string, { callers: number; tail: string | undefined }>()

  /** An invocation has ended; said before its end is recorded. */
  ended(executionId: string, tail: string): void {
    const wanted = this.#wanted.get(executionId)
    if (wanted !== undefined) wanted.tail = tail
  }

  /** What `wait` resolves with, and the tail of the invocation that ended last meanwhile, if one did. */
  async during<Result extends object>(
    executionId: string,
    wait: () => Promise<Result>,
  ): Promise<Result & { readonly logTail?: string }> {
    const wanted = this.#wanted.get(executionId) ?? { callers: 0, tail: undefined }
    wanted.callers += 1
    this.#wanted.set(executionId, wanted)
    try {
      const result = await wait()
      return { ...result, ...(wanted.tail === undefined ? undefined : { logTail: wanted.tail }) }
    } finally {
      wanted.callers -= 1
      if (wanted.callers === 0) this.#wanted.delete(executionId)
    }
  }
}

/**
 * The memory for payloads that are not whole yet, which all links share: first come, first served. Whoever holds a part
 * of it needs no more of it to finish, so that those who wait are served in the end.
 */
export interface PayloadMemory {
  /** Calls back once the bytes are there, perhaps at once. Returns what gives them back, or gives up waiting. */
  take(bytes: number, granted: () => void): () => void
}

interface Waiting {
  readonly bytes: number
  readonly granted: () => void
}

export function createPayloadMemory(limitBytes: number): PayloadMemory {
  const waiting = new Set<Waiting>()
  let held = 0
  // One that is larger than all of it is let in when it is alone: a limit must not be a deadlock.
  const fits = (bytes: number): boolean => held === 0 || held + bytes <= limitBytes
  const serve = (): void => {
    for (const next of waiting) {
      if (!fits(next.bytes)) return
      waiting.delete(next)
      held += next.bytes
      next.granted()
    }
  }
  return {
    take: (bytes, granted) => {
      const request = { bytes, granted }
      waiting.add(request)
      serve()
      let given = false
      return () => {
        if (given) return
        given = true
        if (!waiting.delete(request)) held -= bytes
        serve()
      }
    },
  }
}

const PATIENCE_MS = 20_000

/** Reads again until the answer is there. Used where the wire offers no signal; there is no pause between the reads. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const found = await read()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`)
  }
}

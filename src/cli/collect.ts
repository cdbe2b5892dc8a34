/** Everything that a sequence of pages yields. */
export async function collect<T>(pages: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const each of pages) all.push(each)
  return all
}

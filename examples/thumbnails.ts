/**
 * Fan-out: the same work for every item of a list, three at a time, with a bound on how many may fail.
 *
 * Each picture is a branch of its own: it is retried alone, and what is finished stays finished when the process dies.
 */
import { createRetryStrategy, withDurableExecution } from '@aws/durable-execution-sdk-js'

export interface Album {
  readonly pictures: readonly string[]
  /** Pictures that cannot be read, to see what happens then. */
  readonly broken?: readonly string[]
}

export interface Thumbnails {
  readonly made: readonly string[]
  readonly failed: readonly string[]
}

const twice = createRetryStrategy({ maxAttempts: 2, initialDelay: { seconds: 1 } })

export const handler = withDurableExecution<Album, Thumbnails>(async (album, context) => {
  const rendering = await context.map(
    'render',
    [...album.pictures],
    (branch, picture) =>
      branch.step('shrink', async () => shrink(picture, album.broken ?? []), { retryStrategy: twice }),
    { maxConcurrency: 3, itemNamer: (picture) => picture, completionConfig: { toleratedFailureCount: 2 } },
  )
  // A third broken picture ends the map early. Then the album is at fault, not a picture.
  if (rendering.completionReason === 'FAILURE_TOLERANCE_EXCEEDED') rendering.throwIfError()
  return {
    made: rendering.getResults(),
    failed: rendering.failed().map(({ index }) => album.pictures[index] ?? ''),
  }
})

/** Stands for an image library or a service that renders. */
function shrink(picture: string, broken: readonly string[]): string {
  if (broken.includes(picture)) throw new Error(`${picture} cannot be read`)
  return picture.replace(/(\.\w+)?$/, '-small$1')
}

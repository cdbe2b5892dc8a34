import { Writable } from 'node:stream'

/**
 * Resolves when everything printed so far is in the pipes to the server, so that it belongs to the invocation that
 * printed it: a full pipe makes Node queue output in the process, and the answer must not overtake it.
 */
export async function printed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await flushed(stream)
  }
}

/** By the method of the class: user code may have put its own in place of the stream's. */
function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    Writable.prototype.write.call(stream, '', 'utf8', () => resolve())
  })
}

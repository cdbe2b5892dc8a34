/** The log of one invocation: what the function printed, framed by the platform's lines (spec 02 "Log tail"). */
import type { Clock, FunctionVersion, InvocationRequest, LogRecord } from '../service/ports.ts'

export const logTailBytes = 4096

/** Keeps the newest lines that fit into the tail. */
export interface Tail {
  add(line: string): void
  text(): string
}

export function createTail(): Tail {
  const lines: string[] = []
  let bytes = 0
  const size = (line: string): number => Buffer.byteLength(line) + 1
  return {
    add: (line) => {
      lines.push(line)
      bytes += size(line)
      // The oldest line may stick out: it is cut when the text is asked for.
      for (let [oldest] = lines; oldest !== undefined && bytes - size(oldest) >= logTailBytes; [oldest] = lines) {
        bytes -= size(oldest)
        lines.shift()
      }
    },
    text: () => {
      const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      return text.subarray(Math.max(0, text.byteLength - logTailBytes)).toString('utf8')
    },
  }
}

export interface InvocationLog {
  line(stream: LogRecord['stream'], line: string): void
  /** Writes END and REPORT; answers the tail. */
  end(facts: { readonly maxRssKb: number | undefined; readonly initMs: number | undefined }): string
}

/** Writes START at once. `initTail`: what the process printed before its first invocation. */
export function beginInvocationLog(options: {
  readonly version: FunctionVersion
  readonly request: InvocationRequest
  readonly clock: Clock
  readonly log: (record: LogRecord) => void
  readonly initTail: string
}): InvocationLog {
  const { version, request, clock } = options
  const { requestId } = request
  const startedAt = clock.now()
  const tail = createTail()
  const identity = {
    functionName: version.name,
    version: version.version,
    requestId,
    ...(request.executionArn === undefined ? {} : { executionArn: request.executionArn }),
  }
  const line = (stream: LogRecord['stream'], text: string): void => {
    tail.add(text)
    options.log({ at: clock.now(), ...identity, stream, line: text })
  }
  // The store has these lines already, from when they were printed.
  for (const text of options.initTail.split('\n')) if (text !== '') tail.add(text)
  line('platform', `START RequestId: ${requestId} Version: ${version.version}`)
  return {
    line,
    end: ({ maxRssKb, initMs }) => {
      const duration = (clock.now() - startedAt).toFixed(2)
      line('platform', `END RequestId: ${requestId}`)
      line(
        'platform',
        [
          `REPORT RequestId: ${requestId}`,
          `Duration: ${duration} ms`,
          `Billed Duration: ${Math.ceil(Number(duration))} ms`,
          `Memory Size: ${version.memoryMb} MB`,
          `Max Memory Used: ${Math.ceil((maxRssKb ?? 0) / 1024)} MB`,
          initMs === undefined ? '' : `Init Duration: ${initMs.toFixed(2)} ms\t`,
        ].join('\t'),
      )
      return tail.text()
    },
  }
}

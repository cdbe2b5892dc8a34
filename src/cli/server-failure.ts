/** Why a server could not start, as one message with its fix. */
import type { PerdureOptions } from '../index.ts'
import { CliFailure } from './failure.ts'
import { DEFAULT_PORT } from './server-options.ts'

/** The failure that an error of `startPerdure` or of loading functions means; the error itself when it is unforeseen. */
export function serverFailure(
  error: unknown,
  options: Omit<PerdureOptions, 'functions'>,
  consequence = 'the server was not started',
): unknown {
  if (!(error instanceof Error) || error instanceof CliFailure) return error
  const system = systemError(error)
  const { code } = system
  const port = options.port ?? DEFAULT_PORT
  const data = typeof options.data === 'string' ? options.data : './.perdure'
  if (error.name === 'DeclarationError' || error.name === 'DestinationError') {
    // Cause (of one line or more), consequence, fix.
    const lines = error.message.split('\n').map(sentence)
    const [itsConsequence = consequence, fix = ''] = lines.slice(-2)
    return new CliFailure({ cause: lines.slice(0, -2).join('\n  '), consequence: itsConsequence, fix })
  }
  if (error.name === 'StoreError' && (error as { consequence?: unknown }).consequence === 'locked') {
    return new CliFailure({
      cause: `the data folder ${data} is used by another Perdure server`,
      consequence,
      fix: 'stop that server, or give this one a folder of its own with --data <folder>',
    })
  }
  switch (code) {
    case 'EADDRINUSE':
      return new CliFailure({
        cause: `port ${port} is already used by another program`,
        consequence,
        fix: `stop that program, or choose another port: --port ${port + 1}, or --port 0 for any free one`,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CliFailure({
        cause: `this machine has no address "${options.host}"`,
        consequence,
        fix: 'leave --host out to listen on 127.0.0.1',
      })
    case 'EACCES':
    case 'EROFS':
    case 'EPERM':
      return system.syscall === 'listen'
        ? new CliFailure({
            cause: `port ${port} may not be used by this user`,
            consequence,
            fix: 'choose a port above 1023',
          })
        : new CliFailure({
            cause: `the data folder ${data} cannot be written`,
            consequence,
            fix: 'choose another one with --data <folder>',
          })
    case 'ENOTDIR':
    case 'EEXIST':
      return new CliFailure({
        cause: `${data} is not a folder`,
        consequence,
        fix: 'choose another one with --data <folder>',
      })
    case 'ENOSPC':
      return new CliFailure({
        cause: `the disk of the data folder ${data} is full`,
        consequence,
        fix: 'free some space',
      })
    default:
      return error.name === 'StoreError' ? storeFailure(error, consequence) : error
  }
}

/** What the disk has done to a journal. The message's first sentence is the cause; ours says what to do from here. */
function storeFailure(error: Error, consequence: string): CliFailure {
  const [cause = error.message] = error.message.split(/\. (?=[A-Z"])/)
  const damaged = (error as { consequence?: unknown }).consequence === 'damaged'
  return new CliFailure(
    {
      cause: sentence(cause),
      consequence,
      fix: damaged
        ? 'put a backup into an empty folder with "perdure restore", or go on without what is lost: "perdure repair --help"'
        : 'look at the disk and who may use the folder; "perdure verify" reads everything in it',
    },
    undefined,
    { cause: error },
  )
}

/** The error of the operating system that another was made of, where there is one. */
function systemError(error: Error): NodeJS.ErrnoException {
  let each: unknown = error
  while (each instanceof Error) {
    if ((each as NodeJS.ErrnoException).syscall !== undefined) return each
    each = each.cause
  }
  return error
}

/** `The port is used.` → `the port is used`, as a part of our own sentences. */
const sentence = (text: string) => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')

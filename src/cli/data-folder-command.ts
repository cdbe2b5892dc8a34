/** What the commands on data folders have in common: which folder, how a report is printed, how they fail. */
import type * as DataFolder from '../data-folder.ts'
import type { Verification } from '../data-folder.ts'
import type { OptionSpecs, Surroundings } from './command.ts'
import { CliFailure, EXIT } from './failure.ts'
import { OUTPUT_OPTIONS, printOne } from './output.ts'
import { counted } from './render/amounts.ts'
import { describedLines } from './render/description.ts'

export const FOLDER_OPTIONS = {
  data: { type: 'string', value: '<folder>', help: 'The data folder (default ./.perdure)' },
  ...OUTPUT_OPTIONS,
} as const satisfies OptionSpecs

export const DEFAULT_FOLDER = '.perdure'

/** Loaded by these commands only: it brings the engine along. */
export const dataFolder = (): Promise<typeof DataFolder> => import('../data-folder.ts')

interface OutputValues {
  readonly output: string | undefined
  readonly json: boolean | undefined
}

/** How a command ends with a report: printed, and with findings a failure that says `consequence` and `fix`. */
export function concluded(
  terminal: Surroundings['terminal'],
  values: OutputValues,
  report: Verification,
  consequence: string,
  fix: string,
): number {
  printVerification(terminal, values, report)
  if (report.findings.length === 0) return EXIT.ok
  const cause = `${report.folder} is damaged: ${counted(report.findings.length, 'finding')}`
  throw new CliFailure({ cause, consequence, fix })
}

/** The figures, and what is wrong on standard error. */
function printVerification(terminal: Surroundings['terminal'], values: OutputValues, report: Verification): void {
  printOne(terminal, values, report, () =>
    describedLines(
      [
        ['Folder', report.inUse ? `${report.folder}, in use by a server` : report.folder],
        ['Executions', `${report.executions}, of them ${report.openExecutions} open`],
        ['Entries', `${report.entries} with ${report.events} events`],
        ['Duties', String(report.duties)],
        ['Functions', `${report.functions}, beside those that are declared`],
        ['Findings', report.findings.length === 0 ? 'none' : String(report.findings.length)],
      ],
      terminal.paint,
    ),
  )
  for (const finding of report.findings.slice(0, MOST_SHOWN)) terminal.err(`  ${finding}`)
  const more = report.findings.length - MOST_SHOWN
  if (more > 0) terminal.err(`  … and ${counted(more, 'finding')} more; --json has all`)
}

const MOST_SHOWN = 50

/** The failure that an error of `data-folder.ts` is; the error itself when it is unforeseen. */
export function folderFailure(error: unknown, consequence: string, fix: string): unknown {
  if (!(error instanceof Error) || error instanceof CliFailure) return error
  if (error.name === 'StoreError') {
    const locked = (error as { consequence?: unknown }).consequence === 'locked'
    return new CliFailure(
      {
        cause: locked ? 'the data folder is used by a Perdure server' : asClause(error.message),
        consequence,
        fix: locked ? 'stop that server first' : fix,
      },
      undefined,
      { cause: error },
    )
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC') return new CliFailure({ cause: 'the disk is full', consequence, fix: 'free some space' })
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    const what = `${path ?? 'the folder'} may not be written, or read, by this user`
    return new CliFailure({ cause: what, consequence, fix: 'run it as the user of the server' })
  }
  return error
}

/** `The file is gone.` → `the file is gone`, as a part of our own sentences. */
const asClause = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')

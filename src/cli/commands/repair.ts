/** `perdure repair`: what can be saved of a damaged data folder that has no backup. */
import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { concluded, DEFAULT_FOLDER, dataFolder, FOLDER_OPTIONS, folderFailure } from '../data-folder-command.ts'
import { usageFailure } from '../failure.ts'

const consequence = 'the folder is not repaired'

export const repair = defineCommand({
  name: 'repair',
  summary: 'Give up what a damaged data folder has lost, so that a server starts on the rest',
  options: {
    'accept-data-loss': { type: 'boolean', help: 'Necessary: acknowledged steps may be gone, and run again' },
    ...FOLDER_OPTIONS,
  },
  notes: [
    'A backup is better. The files are first kept as they are, in a folder damaged-<time> in the data folder.',
    'Then the log is taken as far as it fits, indexes are made anew, and the rest is verified.',
  ],
  examples: ['perdure repair --data /var/lib/perdure --accept-data-loss'],
  async run({ values, terminal }) {
    if (values['accept-data-loss'] !== true) {
      throw usageFailure(
        'repair gives up what is lost, and with it perhaps steps that were acknowledged',
        'restore a backup instead, or say --accept-data-loss',
      )
    }
    const folder = values.data ?? DEFAULT_FOLDER
    try {
      const { repairFolder } = await dataFolder()
      const { kept, verification } = repairFolder(folder, join(folder, `damaged-${timestamp()}`))
      terminal.err(`the files as they were are in ${kept}`)
      return concluded(
        terminal,
        values,
        verification,
        'a server may refuse to start on it, and holds the executions that are named above',
        'restore a backup, or delete the executions that are named above when the server runs',
      )
    } catch (error) {
      throw folderFailure(error, consequence, 'restore a backup into an empty folder')
    }
  },
})

/** `20261123T0545Z` with seconds: a name that sorts and that every file system takes. */
const timestamp = (): string => new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')

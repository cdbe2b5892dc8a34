/** `perdure verify`: whether everything in a data folder, or a backup, is as it was written. */
import { defineCommand } from '../command.ts'
import { concluded, DEFAULT_FOLDER, dataFolder, FOLDER_OPTIONS, folderFailure } from '../data-folder-command.ts'

const consequence = 'nothing was changed'

export const verify = defineCommand({
  name: 'verify',
  summary: 'Check everything in a data folder or a backup, also while a server runs',
  options: FOLDER_OPTIONS,
  notes: [
    'It reads every entry of every execution, checks it, follows it, and compares all that is beside it.',
    'Exit code 0 when nothing is wrong, 1 when something is. Nothing is changed.',
  ],
  examples: ['perdure verify', 'perdure verify --data /var/backups/perdure/monday', 'perdure verify --json'],
  async run({ values, terminal }) {
    try {
      const { verifyFolder } = await dataFolder()
      const report = verifyFolder(values.data ?? DEFAULT_FOLDER)
      return concluded(
        terminal,
        values,
        report,
        'what is named above is not used; everything else is as it was written',
        'restore a backup into an empty folder, or have "perdure repair" save what can be saved',
      )
    } catch (error) {
      throw folderFailure(error, consequence, 'name a data folder with --data <folder>')
    }
  },
})

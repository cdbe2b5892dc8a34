/** `perdure backup`: a copy of a data folder as of one moment, also while a server runs. */
import { defineCommand } from '../command.ts'
import { concluded, DEFAULT_FOLDER, dataFolder, FOLDER_OPTIONS, folderFailure } from '../data-folder-command.ts'

const consequence = 'no backup was made'

export const backup = defineCommand({
  name: 'backup',
  summary: 'Copy a data folder as of one moment, also while a server runs',
  operands: '<target>',
  operandCount: [1, 1],
  options: FOLDER_OPTIONS,
  notes: ['The target is a new folder. It appears when the copy is verified and on disk, and not before.'],
  examples: [
    'perdure backup /var/backups/perdure/monday --data /var/lib/perdure',
    'perdure backup "backup-$(date +%F)" --json',
  ],
  async run({ values, operands: [target = ''], terminal }) {
    try {
      const { backUp } = await dataFolder()
      const report = await backUp(values.data ?? DEFAULT_FOLDER, target)
      return concluded(
        terminal,
        values,
        report,
        consequence,
        'keep the backups that there are, and see "perdure repair"',
      )
    } catch (error) {
      throw folderFailure(error, consequence, 'name a data folder with --data <folder>, and a target that is new')
    }
  },
})

/** `perdure restore`: a backup becomes a data folder again. */
import { defineCommand } from '../command.ts'
import { concluded, DEFAULT_FOLDER, dataFolder, FOLDER_OPTIONS, folderFailure } from '../data-folder-command.ts'

const consequence = 'nothing was restored'

export const restore = defineCommand({
  name: 'restore',
  summary: 'Put a backup into a data folder that has no journal',
  operands: '<backup>',
  operandCount: [1, 1],
  options: FOLDER_OPTIONS,
  notes: [
    'The backup is verified first. Nothing is ever overwritten.',
    'A server that is started on it goes on from the moment of the backup: see the guide.',
  ],
  examples: ['perdure restore /var/backups/perdure/monday --data /var/lib/perdure'],
  async run({ values, operands: [from = ''], terminal }) {
    try {
      const folder = await dataFolder()
      const report = await folder.restore(from, values.data ?? DEFAULT_FOLDER)
      return concluded(terminal, values, report, consequence, 'take another backup')
    } catch (error) {
      throw folderFailure(error, consequence, 'name a folder without a journal with --data <folder>')
    }
  },
})

/** `perdure restore`: a backup becomes a data folder again. */
import { defineCommand } from '../command.ts'
import {
  DEFAULT_FOLDER,
  damagedFolder,
  dataFolder,
  FOLDER_OPTIONS,
  folderFailure,
  printVerification,
} from '../data-folder-command.ts'
import { EXIT } from '../failure.ts'

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
      printVerification(terminal, values, report)
      if (report.findings.length === 0) return EXIT.ok
      throw damagedFolder(report, consequence, 'take another backup')
    } catch (error) {
      throw folderFailure(error, consequence, 'name a folder without a journal with --data <folder>')
    }
  },
})

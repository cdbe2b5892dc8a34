/** `perdure completion`: a script by which a shell completes commands, options and their values. */
import { type Command, defineCommand } from '../command.ts'
import { completionScript, shells } from '../completion-script.ts'
import { EXIT, usageFailure } from '../failure.ts'

/** Made of all commands, itself among them, which are therefore asked for only when it runs. */
export const completionOf = (commands: () => readonly Command[]): Command =>
  defineCommand({
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    operands: shells.join('|'),
    operandCount: [1, 1],
    options: {},
    notes: [
      'bash: write it to ~/.local/share/bash-completion/completions/perdure',
      'zsh:  write it to a file _perdure in a folder of $fpath',
      'fish: write it to ~/.config/fish/completions/perdure.fish',
    ],
    examples: ['source <(perdure completion bash)', 'perdure completion fish | source'],
    async run({ operands, terminal }) {
      const shell = shells.find((each) => each === operands[0])
      if (shell === undefined) throw usageFailure(`there is no shell "${operands[0]}"`, `one of ${shells.join(', ')}`)
      terminal.write(completionScript(shell, commands()))
      return EXIT.ok
    },
  })

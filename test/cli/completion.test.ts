/** What a shell offers, asked of a real bash; the other shells' scripts by what they hold. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { completionScript } from '../../src/cli/completion-script.ts'

const script = completionScript('bash', COMMANDS)

/** The offers for the last of the words. */
function offers(...words: readonly string[]): readonly string[] {
  const program = `${script}
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
_perdure
printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['--norc', '-c', program, 'bash', 'perdure', ...words], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line !== '')
}

test('first words are commands and groups', () => {
  const words = offers('')
  for (const word of ['start', 'dev', 'status', 'invoke', 'executions', 'callbacks', 'functions', 'config', 'logs']) {
    assert.ok(words.includes(word), word)
  }
  assert.deepEqual(offers('exec'), ['executions'])
})

test('second words of a group', () => {
  assert.deepEqual(offers('callbacks', ''), ['succeed', 'fail', 'heartbeat'])
  assert.deepEqual(offers('executions', 'st'), ['stop'])
})

test('options of the command, and their values', () => {
  assert.deepEqual(offers('executions', 'list', '--started'), ['--started-after', '--started-before'])
  assert.deepEqual(offers('executions', 'list', '--status', 'S'), ['SUCCEEDED', 'STOPPED'])
  assert.deepEqual(offers('executions', 'list', '-s', 'RUN'), ['RUNNING'])
  assert.deepEqual(offers('functions', 'list', '--output', ''), ['table', 'json', 'ndjson'])
  assert.deepEqual(offers('start', '--clock', 'm'), ['manual'])
  assert.deepEqual(offers('invoke', 'order', '--name', ''), [])
  assert.deepEqual(offers('completion', ''), ['bash', 'zsh', 'fish'])
})

test('paths where a path is asked for', () => {
  assert.deepEqual(offers('start', '--config', 'package.js'), ['package.json'])
  assert.deepEqual(offers('dev', 'package.js'), ['package.json'])
})

test('every command and every option is in every script', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const text = completionScript(shell, COMMANDS)
    for (const { name, options } of COMMANDS) {
      for (const word of name.split(' ')) assert.match(text, new RegExp(`\\b${word}\\b`), `${shell}: ${name}`)
      for (const option of Object.keys(options)) {
        assert.ok(text.includes(shell === 'fish' ? `-l ${option}` : `--${option}`), `${shell}: ${name} --${option}`)
      }
    }
    assert.doesNotMatch(text, /undefined|\[object/)
  }
})

test('quotes in help texts do not end the words of zsh and fish', () => {
  const [command] = COMMANDS
  assert.ok(command !== undefined)
  const options = { wall: { type: 'boolean', help: "The cat's: [all]" } } as const
  const quoted = [{ ...command, name: 'paint', summary: "Paint: it's art", options }]
  assert.match(completionScript('zsh', quoted), /'--wall\[The cat'\\''s\\: \\\[all\\\]\]'/)
  assert.match(completionScript('fish', quoted), /-l wall -d 'The cat'\\''s: \[all\]'/)
})

import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { perdure, server, temporaryFolder } from './program.ts'

test('dev serves a folder, starts again on a change, and outlives a mistake', async (context) => {
  const folder = await temporaryFolder(context)
  /** As an editor would: aside, then in place. */
  const write = async (text: string) => {
    await writeFile(join(folder, 'answer.ts.new'), text)
    await rename(join(folder, 'answer.ts.new'), join(folder, 'answer.ts'))
  }
  await write(`export const handler = async () => 'one'\n`)
  const dev = await server(context, ['dev', '.', '--memory'], { cwd: folder })
  const invoke = async () => (await perdure(['invoke', 'answer', '--endpoint', dev.endpoint])).out.trim()
  assert.equal(await invoke(), '"one"')

  await write(`export const handler = async ( => 'two'\n`)
  assert.match(await dev.errLine(), /answer\.ts.* has changed, starting again/)
  assert.match(await dev.errLine(), /"answer" cannot be compiled: .*answer\.ts:1:/)

  await write(`export const handler = async () => 'two'\n`)
  const { endpoint } = JSON.parse(await dev.outLine()) as { readonly endpoint: string }
  assert.equal(endpoint, dev.endpoint)
  assert.equal(await invoke(), '"two"')
  assert.equal(await dev.end('SIGINT'), 0)
})

import assert from 'node:assert/strict'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { perdure, running, server, temporaryFolder } from './program.ts'

/** Writes as an editor would: aside, then in place. */
async function write(folder: string, file: string, text: string): Promise<void> {
  await writeFile(join(folder, `${file}.new`), text)
  await rename(join(folder, `${file}.new`), join(folder, file))
}

async function lineWith(next: () => Promise<string>, pattern: RegExp): Promise<string> {
  for (;;) {
    const line = await next()
    if (pattern.test(line)) return line
  }
}

test('dev serves every change of a handler and of what it imports, and outlives mistakes', async (context: TestContext) => {
  const folder = await temporaryFolder(context)
  const handlers = join(folder, 'handlers')
  await mkdir(handlers)
  await mkdir(join(folder, 'shared'))
  await write(folder, 'shared/word.ts', `export const word: string = 'one'\n`)
  const handler = (body: string) =>
    `import { word } from '../shared/word.ts'\nexport const handler = async () => ${body}\n`
  await write(handlers, 'answer.ts', handler('word'))
  const dev = await server(context, ['dev', 'handlers', '--memory'], { cwd: folder })
  const invoke = async () => (await perdure(['invoke', 'answer', '--endpoint', dev.endpoint])).out.trim()
  assert.equal(await invoke(), '"one"')

  await write(handlers, 'answer.ts', handler('{'))
  assert.match(await dev.errLine(), /"answer" cannot be compiled: .*answer\.ts:3:/)
  assert.match(await dev.errLine(), /so: "answer" goes on with the code before the change/)
  assert.match(await dev.errLine(), /fix: correct the source/)
  assert.equal(await invoke(), '"one"')

  await write(handlers, 'answer.ts', handler(`word + '!'`))
  assert.match(await dev.errLine(), /answer\.ts.* has changed, new invocations of answer run the new code/)
  assert.equal(await invoke(), '"one!"')

  await write(folder, 'shared/word.ts', `export const word: string = 'two'\n`)
  assert.match(await dev.errLine(), /word\.ts.* has changed, new invocations of answer run the new code/)
  assert.equal(await invoke(), '"two!"')

  await write(handlers, 'other.mjs', `export const handler = async () => 'other'\n`)
  assert.match(await dev.errLine(), /other\.mjs.* has changed, new invocations of other run the new code/)
  assert.equal((await perdure(['invoke', 'other', '--endpoint', dev.endpoint])).out.trim(), '"other"')
  assert.equal(await dev.end('SIGINT'), 0)
})

test('dev names the operation when replay no longer matches the changed code', async (context: TestContext) => {
  const folder = await temporaryFolder(context)
  const handler = (name: string) => `
    import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'
    export const handler = withDurableExecution(async (_event: unknown, context: DurableContext) => {
      await context.step('${name}', async () => 1)
      await context.waitForCallback('approval', async (id) => console.log('callback', id))
      return 'done'
    })`
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await symlink(join(import.meta.dirname, '..', '..', 'node_modules'), join(folder, 'node_modules'))
  await write(folder, 'order.ts', handler('reserve'))
  const dev = running(context, ['dev', 'order.ts', '--memory', '--port', '0'], { cwd: folder })
  const [, endpoint = ''] = /at (http:\S+)/.exec(await dev.outLine()) ?? []
  const started = await perdure(['invoke', 'order', '--event', '--endpoint', endpoint])
  assert.equal(started.code, 0, started.err)
  const [, callbackId = ''] = /callback (\S+)/.exec(await lineWith(dev.outLine, /callback /)) ?? []
  await write(folder, 'order.ts', handler('book'))
  await lineWith(dev.errLine, /new invocations of order run the new code/)
  const answered = await perdure(['callbacks', 'succeed', callbackId, '--endpoint', endpoint])
  assert.equal(answered.code, 0, answered.err)
  assert.match(await lineWith(dev.outLine, /Replay/), /the operation "reserve" \(.+\) is now called "book"/)
  await lineWith(dev.outLine, /Keep the order, kinds and names of operations/)
})

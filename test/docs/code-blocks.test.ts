/** TypeScript in the documents compiles, with the strictest settings; what is a test there passes. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildPerdure, folder, installPackages, packages, run } from './installed.ts'
import { type CodeBlock, pagePaths, readPage, root } from './markdown.ts'

const pages = pagePaths().map(readPage)
const blocksOf = (blocks: readonly CodeBlock[]) => blocks.filter(({ language }) => language === 'ts')

test('the TypeScript of the documents', async (context) => {
  const project = await folder(context)
  await installPackages(project, await buildPerdure(context))
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  const tsconfig = { extends: join(root, 'tsconfig.json'), compilerOptions: { noEmit: true }, include: ['.'] }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig))
  for (const { path, blocks } of pages) {
    const ofPage = join(project, path.replaceAll('/', '-'))
    await mkdir(ofPage)
    for (const { file, text, line, before } of blocksOf(blocks)) {
      await writeFile(join(ofPage, file ?? `line-${line}.ts`), before + text)
    }
  }

  await context.test('compiles', async () => {
    const compiled = await run(process.execPath, [join(packages, 'typescript', 'bin', 'tsc'), '-p', project], project)
    assert.equal(compiled.out, '')
    assert.equal(compiled.code, 0)
  })

  for (const { path, blocks } of pages) {
    for (const { file } of blocksOf(blocks)) {
      if (file?.endsWith('.test.ts') !== true) continue
      await context.test(`${path}: ${file} passes`, async () => {
        // As the page says it, and with what the page's reader has: the files of that page.
        const outcome = await run(process.execPath, ['--test', file], join(project, path.replaceAll('/', '-')))
        assert.equal(outcome.code, 0, outcome.out)
        assert.match(outcome.out, /pass [1-9]/)
      })
    }
  }
})

test('a block that is a file is named once in its page', () => {
  for (const { path, blocks } of pages) {
    const files = blocks.flatMap(({ file }) => file ?? [])
    assert.equal(new Set(files).size, files.length, path)
  }
})

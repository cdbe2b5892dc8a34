/** The documents stand on their own: links and citations lead somewhere inside the repository. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { anchorOf, pagePaths, readPage, root } from './markdown.ts'

test('every link of a page leads to a file, and to a heading of it', () => {
  const broken: string[] = []
  for (const path of pagePaths()) {
    for (const link of readPage(path).links) {
      if (/^[a-z]+:/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : normalize(join(dirname(path), file))
      if (target.startsWith('..') || !existsSync(join(root, target))) broken.push(`${path}: ${link}`)
      else if (anchor !== undefined && !anchorsOf(target).has(anchor)) broken.push(`${path}: ${link}`)
    }
  }
  assert.deepEqual(broken, [])
})

const anchorsOf = (path: string): ReadonlySet<string> =>
  new Set(readPage(path).sections.map(({ title }) => anchorOf(title)))

test('every section of the specification that the code cites is there', () => {
  const known = new Set(
    readPage('docs/specification.md').sections.map(({ title }) => /^[\d.]+/.exec(title)?.[0] ?? title),
  )
  const missing = new Map<string, string>()
  for (const file of sources()) {
    for (const section of citations(readFileSync(join(root, file), 'utf8'))) {
      if (!known.has(section)) missing.set(section, file)
    }
  }
  assert.deepEqual([...missing], [])
})

test('a citation is read in all the forms in which it is written', () => {
  assert.deepEqual(citations('// spec 04 §4.9'), ['4.9'])
  assert.deepEqual(citations('(spec 08 §8.5, 07 §7.6)'), ['8.5', '7.6'])
  assert.deepEqual(citations("test('[01 §1.0] x'"), ['1.0'])
  assert.deepEqual(citations('(spec 04 §4.1–4.7, 05)'), ['4.1', '4.7'])
  assert.deepEqual(citations('(spec 12.2 row 3) and spec 09'), ['12.2', '09'])
  assert.deepEqual(citations('of RFC 9562 §5.4'), [])
})

function sources(): readonly string[] {
  return ['src', 'test', 'bench', 'tools', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith('docs/') && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  )
}

/** Sections as the headings number them: `4.9`, or `09` for a whole chapter. */
function citations(text: string): readonly string[] {
  const sections: string[] = []
  for (const [, first = '', last] of text.replace(/RFC \d+ §[\d.]+/g, '').matchAll(/§(\d+\.\d+)(?:–(\d+\.\d+))?/g)) {
    sections.push(first, ...(last === undefined ? [] : [last]))
  }
  for (const [, section = ''] of text.matchAll(/[Ss]pec (\d\d(?:\.\d+)?)(?! ?§)\b/g)) sections.push(section)
  return sections
}

test('no page names a place of the machine that it was written on', () => {
  const foreign: string[] = []
  for (const path of pagePaths()) {
    const { text } = readPage(path)
    for (const [place] of text.matchAll(/(?<![\w.])\/(?:work|home|root|tmp|Users)\/[\w./-]*/g))
      foreign.push(`${path}: ${place}`)
  }
  assert.deepEqual(foreign, [])
})

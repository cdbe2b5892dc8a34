/** As much of Markdown as tests of the documents need: headings, tables, code blocks, links. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export interface CodeBlock {
  /** The first word after the fence: `ts`, `sh` … */
  readonly language: string
  /** The second word: the file that the block is. */
  readonly file: string | undefined
  readonly text: string
  readonly line: number
  /** What an excerpt leaves out, from a comment before it that readers do not see: `<!-- compiles after: … -->`. */
  readonly before: string
}

const EXCERPT = '<!-- compiles after:'

export type Row = readonly string[]

export interface Section {
  readonly title: string
  readonly level: number
  readonly tables: readonly (readonly Row[])[]
}

export interface Page {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
  readonly sections: readonly Section[]
  readonly blocks: readonly CodeBlock[]
  readonly links: readonly string[]
}

/** Every Markdown file that users read. */
export function pagePaths(): readonly string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file))
  return ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'examples/README.md', ...docs.sort()]
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8')
  const blocks: CodeBlock[] = []
  const sections: { title: string; level: number; tables: Row[][] }[] = []
  const prose: string[] = []
  const lines = text.split('\n')
  let inTable = false
  let before = ''
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const fence = /^```(\S*)(?: (\S+))?$/.exec(line)
    if (fence !== null) {
      const end = lines.indexOf('```', at + 1)
      if (end < 0) throw new Error(`${path}:${at + 1}: this code block never ends`)
      const body = lines.slice(at + 1, end)
      blocks.push({ language: fence[1] ?? '', file: fence[2], text: `${body.join('\n')}\n`, line: at + 1, before })
      before = ''
      at = end
      continue
    }
    if (line.startsWith(EXCERPT)) {
      const end = lines.findIndex((each, index) => index >= at && each.endsWith('-->'))
      before = lines
        .slice(at, end + 1)
        .join('\n')
        .slice(EXCERPT.length, -'-->'.length)
      at = end
      continue
    }
    prose.push(line)
    const heading = /^(#+) (.+)$/.exec(line)
    if (heading !== null) sections.push({ title: heading[2] ?? '', level: heading[1]?.length ?? 0, tables: [] })
    const isRow = line.startsWith('|')
    if (isRow && !inTable) sections.at(-1)?.tables.push([])
    if (isRow && !/^[|\s:-]+$/.test(line)) sections.at(-1)?.tables.at(-1)?.push(cells(line))
    inTable = isRow
  }
  const links = [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
  return { path: relative('.', path), text, sections, blocks, links }
}

const cells = (line: string): Row =>
  line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())

/** The rows of a section's table without its header; `number` counts the section's tables from 0. */
export function tableOf(page: Page, title: string, number = 0): readonly Row[] {
  const table = page.sections.find((section) => section.title === title)?.tables[number]
  if (table === undefined) throw new Error(`${page.path} has no table ${number} under "${title}"`)
  return table.slice(1)
}

/** Text in backquotes, without them. */
export const code = (cell: string | undefined): string => /^`(.*)`$/.exec(cell ?? '')?.[1] ?? cell ?? ''

/** The anchor that GitHub gives a heading. */
export const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

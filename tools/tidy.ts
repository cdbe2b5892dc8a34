/**
 * The rules of this repository that a general linter does not know: which room may import which, which globals are
 * banned outside their adapters, and which names are not names. Prints each violation; exits 1 when there is one.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** Arrows point one way: a room may import itself, what is listed, and nothing else. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  engine: ['protocol'],
  'crash-point.ts': [],
  journal: ['protocol', 'crash-point.ts', 'functions/registry/function-store.ts'],
  service: ['engine', 'journal', 'protocol', 'crash-point.ts'],
  functions: ['service/ports.ts', 'protocol', 'crash-point.ts'],
  server: ['service', 'protocol', 'crash-point.ts'],
  webhooks: ['service/ports.ts'],
  client: ['protocol'],
  deploy: ['client', 'protocol', 'functions/nearest.ts'],
  cli: [
    'client',
    'deploy',
    'server',
    'protocol',
    'index.ts',
    'worker.ts',
    'data-folder.ts',
    'functions/declaration.ts',
    'functions/config.ts',
    'engine/history.ts',
  ],
}

/** Rooms that get time, timers and randomness injected, and the files whose job it is to be the real thing. */
const PORTED_ROOMS = ['protocol', 'engine', 'journal', 'service', 'functions']
const ADAPTERS = [/^service\/clock-adapters\.ts$/, /^functions\/bootstrap\//, /\/(writer|reader)-worker\.ts$/]
const BANNED = [
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
  /\bMath\.random\b/,
  /\brandomUUID\b/,
  /\brandomBytes\b/,
  /\bperformance\.now\b/,
]
const ENGINE_IMPORTS = /^\.{1,2}\//

const FORBIDDEN_NAMES = /(^|[/-])(utils?|helpers?|managers?|common)([-./]|$)/

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|mts|mjs)$/.test(file) && !file.includes('node_modules'))
    .map((file) => file.replaceAll('\\', '/'))
}

const withoutComments = (line: string): string => line.replace(/\/\/.*$/, '').replace(/^\s*\*.*$/, '')

function importRules(file: string, text: string): string[] {
  const [room = ''] = file.split('/')
  const allowed = MAY_IMPORT[room]
  if (allowed === undefined) return []
  const violations: string[] = []
  for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (!specifier.startsWith('.')) {
      if (room === 'engine' && !ENGINE_IMPORTS.test(specifier))
        violations.push(`src/${file}: the engine imports ${specifier}`)
      continue
    }
    const target = relative(join(root, 'src'), resolve(root, 'src', dirname(file), specifier)).replaceAll('\\', '/')
    const permitted =
      target.startsWith(`${room}/`) || allowed.some((to) => target === to || target.startsWith(`${to}/`))
    if (!permitted) violations.push(`src/${file}: ${room} must not import ${target}`)
  }
  return violations
}

function bannedGlobals(file: string, text: string): string[] {
  const [room = ''] = file.split('/')
  if (!PORTED_ROOMS.includes(room) || ADAPTERS.some((adapter) => adapter.test(file))) return []
  return text.split('\n').flatMap((line, index) => {
    const banned = BANNED.find((pattern) => pattern.test(withoutComments(line)))
    return banned === undefined ? [] : [`src/${file}:${index + 1}: ${banned.source} outside an adapter: take a port`]
  })
}

const violations: string[] = []
for (const file of sources(join(root, 'src'))) {
  const text = readFileSync(join(root, 'src', file), 'utf8')
  if (FORBIDDEN_NAMES.test(file)) violations.push(`src/${file}: name it after what it is`)
  if (file.endsWith('.test.ts')) continue
  violations.push(...importRules(file, text), ...bannedGlobals(file, text))
}
for (const violation of violations) console.error(violation)
console.log(violations.length === 0 ? 'tidy: no violations' : `tidy: ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1

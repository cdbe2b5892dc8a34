/**
 * Walks through `docs/guides/languages.md`: a section for each language, in a folder of its own. What a section builds is
 * kept for the next time; what it says to the server is said again every time.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { server } from '../cli/program.ts'
import { type Found, given, has, isKept, kept, output, reason } from '../interop/kept.ts'
import { javaLibraries, type PythonPlace, python } from '../interop/languages.ts'
import { folder, run } from './installed.ts'
import { type CodeBlock, code, readPage, root, tableOf } from './markdown.ts'

const page = readPage('docs/guides/languages.md')
const lines = page.text.split('\n')
const cache = join(root, '.cache', 'interop')

function blocksUnder(title: string): readonly CodeBlock[] {
  const from = lines.indexOf(`## ${title}`) + 1
  const to = lines.findIndex((line, index) => index >= from && line.startsWith('## '))
  return page.blocks.filter(({ line }) => line > from && (to < 0 || line <= to))
}

const block = (title: string, file: string): string =>
  blocksUnder(title).find((each) => each.file === file)?.text ?? assert.fail(`no ${file} under ${title}`)

const tools: Found<PythonPlace> = await python()

interface Section {
  readonly title: string
  /** As it is kept; a name of its own unless something else is made in the same place. */
  readonly keptAs?: string
  /** What the machine lacks for it. */
  readonly missing?: string | false
  /** Takes minutes, and is left to CI unless it was built before. */
  readonly slow?: true
  /** What is there before the commands that build. */
  prepare?(folder: string): Promise<void>
  /** A command as it is run, where that differs from how it is told. */
  adapt?(commands: string): string
  readonly environment?: Readonly<Record<string, string>>
}

const missing = async (what: string, program: string, ...question: readonly string[]) =>
  !(await has(program, question)) && what

const sections: readonly Section[] = [
  {
    title: 'JavaScript',
    // Packages are linked instead of downloaded.
    prepare: (folder) => symlink(join(root, 'node_modules'), join(folder, 'node_modules')),
    adapt: (commands) => commands.replace(/^npm install .*$/m, ''),
  },
  { title: 'Python' },
  {
    title: 'Java',
    missing: (await missing('a JDK', 'javac', '-version')) || (await missing('Maven', 'mvn', '-version')),
    adapt: (commands) => commands.replace('mvn ', `mvn -Dmaven.repo.local=${join(cache, 'maven')} `),
  },
  {
    title: 'Rust',
    keptAs: 'rust',
    missing: await missing('Rust', 'cargo', '--version'),
    slow: true,
    // Unoptimised, for then most of it is already there.
    prepare: async (folder) => {
      await mkdir(join(cache, 'rust-target'), { recursive: true })
      await symlink(join(cache, 'rust-target'), join(folder, 'target'))
      await cp(join(root, 'test', 'interop', 'handlers', 'rust', 'Cargo.lock'), join(folder, 'Cargo.lock'))
    },
    adapt: (commands) => commands.replace('--release', '--quiet').replace('target/release', 'target/debug'),
    environment: { CARGO_PROFILE_DEV_DEBUG: 'false', CARGO_PROFILE_DEV_STRIP: 'true' },
  },
  {
    title: 'Go',
    missing: await missing('Go', 'go', 'version'),
    slow: true,
    environment: { GOMODCACHE: join(cache, 'go-modules'), GOFLAGS: '-modcacherw -buildvcs=false' },
  },
]

/** The folder of the section with the package that its first commands make. */
async function build(section: Section): Promise<Found<string>> {
  if ('missing' in tools) return tools
  const lacking = (await missing('zip', 'zip', '-v')) || section.missing
  if (lacking) return { missing: lacking }
  const blocks = blocksUnder(section.title)
  const name = section.keptAs ?? `docs-${section.title.toLowerCase()}`
  const madeFrom = [tools.plain, ...blocks.map(({ text }) => text)]
  if (section.slow && !process.env['CI'] && !isKept(name, madeFrom)) {
    return { missing: 'a program that takes minutes to compile: CI does it, and who runs these tests with CI=1' }
  }
  return await kept(name, madeFrom, async (folder) => {
    await section.prepare?.(folder)
    for (const { file, text } of blocks) {
      if (file === undefined) continue
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), text)
    }
    const [commands] = blocks.filter(({ language }) => language === 'sh')
    const script = section.adapt?.(commands?.text ?? '') ?? commands?.text ?? ''
    await mkdir(join(folder, 'bin'))
    await symlink(tools.plain, join(folder, 'bin', 'python3'))
    const path = [join(folder, 'bin'), process.env['PATH']].join(delimiter)
    await output('bash', ['-euc', script], folder, { ...process.env, ...section.environment, PATH: path })
  })
}

/** A server as the page starts it, whose Python has nothing but Python, and a shell that knows what the page tells of clients. */
async function reader(t: TestContext, { bin, plain }: PythonPlace) {
  const place = await folder(t)
  const config = block('The server', 'perdure.config.yaml').replace('/opt/python/bin/python3', plain)
  await writeFile(join(place, 'perdure.config.yaml'), config)
  const [starting] = blocksUnder('The server').filter(({ language }) => language === 'sh')
  const [, ...args] = starting?.text.trim().split(' ') ?? []
  const { endpoint } = await server(t, args, { cwd: place })
  const [exports = ''] = blocksUnder('The clients')
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text)
  const here = (text: string) => text.replaceAll('http://127.0.0.1:7077', endpoint)
  const env = { PATH: [bin, process.env['PATH']].join(delimiter), HOME: place }
  const shell = async (commands: string, cwd = place) => {
    const { code, out } = await run('bash', ['-euc', here(exports) + commands], cwd, env)
    assert.equal(code, 0, out)
    return out
  }
  return { place, here, shell }
}

const packages = new Map<string, Found<string>>()
for (const section of sections) {
  const built = await build(section)
  packages.set(section.title, built)
  test(`${section.title}: deployed and invoked as the page tells`, { skip: reason(built) }, async (t) => {
    const { shell } = await reader(t, given(tools))
    const made = given(built)
    await writeFile(join(made, 'input.json'), block('What all have in common', 'input.json'))
    const [, deploying] = blocksUnder(section.title).filter(({ language }) => language === 'sh')
    await shell(deploying?.text ?? assert.fail('nothing is deployed'), made)
    const answered: unknown = JSON.parse(await readFile(join(made, 'output.json'), 'utf8'))
    const [shown] = blocksUnder(section.title).filter(({ language }) => language === 'json')
    assert.equal(answered, JSON.parse(shown?.text ?? assert.fail('no answer is shown')))
  })
}

const packaged = packages.get('JavaScript') ?? assert.fail('the page has no JavaScript')

test('the clients list functions as the page tells', { skip: reason(packaged) }, async (t) => {
  const { place, here, shell } = await reader(t, given(tools))
  const [deploying = ''] = blocksUnder('JavaScript').flatMap(
    ({ text }) => /^aws .*create-function.*?\n(?=aws)/ms.exec(text) ?? [],
  )
  await cp(join(given(packaged), 'function.zip'), join(place, 'function.zip'))
  await shell(deploying)
  const listed = 'hello-javascript nodejs24.x'

  await t.test('AWS CLI', async () => assert.match(await shell(''), /"FunctionName": "hello-javascript"/))
  await t.test('boto3', async () => {
    await writeFile(join(place, 'client.py'), here(block('The clients', 'client.py')))
    assert.match(await shell('python client.py'), new RegExp(`^${listed}$`, 'm'))
  })
  await t.test('JavaScript', async () => {
    await symlink(join(root, 'node_modules'), join(place, 'node_modules'))
    await writeFile(join(place, 'client.ts'), here(block('The clients', 'client.ts')))
    assert.match(await shell(`${process.execPath} client.ts`), new RegExp(`^${listed}$`, 'm'))
  })
  await t.test('Java', async (t) => {
    const libraries = await javaLibraries()
    if (typeof libraries !== 'string') return t.skip(libraries.missing)
    await writeFile(join(place, 'Client.java'), here(block('The clients', 'Client.java')))
    const classPath = [place, join(libraries, '*')].join(delimiter)
    await output('javac', ['-cp', classPath, 'Client.java'], place)
    assert.match(await shell(`java -cp '${classPath}' Client`), new RegExp(`^${listed}$`, 'm'))
  })
})

/** How the files of each language name a package and its release. */
const PINS: readonly { readonly files: readonly string[]; readonly pin: RegExp }[] = [
  { files: ['package.json'], pin: /"([^"]+)": "(\d[^"]*)"/g },
  { files: ['python/requirements.txt', 'python/requirements-package.txt'], pin: /^(\S+)==(\S+)$/gm },
  { files: ['java/pom.xml'], pin: /<artifactId>(.+)<\/artifactId>\s*<version>(.+)<\/version>/g },
  { files: ['rust/Cargo.toml'], pin: /^(\S+) = "=(.+)"$/gm },
]

test('the releases that are named are those that are tried', async () => {
  const handlers = join(root, 'test', 'interop', 'handlers')
  const pinned = new Map<string, string>()
  const [, goModule = '', goRelease = ''] = /go get \S+\/(\S+)@(\S+)/.exec(page.text) ?? []
  pinned.set(goModule, goRelease)
  for (const { files, pin } of PINS) {
    for (const file of files) {
      const text = await readFile(file === 'package.json' ? join(root, file) : join(handlers, file), 'utf8')
      for (const [, name = '', release = ''] of text.matchAll(pin)) pinned.set(name, release)
    }
  }
  for (const [what = '', release] of tableOf(page, 'What has been tried')) {
    assert.equal(release, pinned.get(code(what).replace(/^.*:/, '')), what)
  }
})

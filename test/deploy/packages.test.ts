/** Packages from folders as people have them: links, builds, languages, and what is said when something is missing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Build, DesiredFunction, EsbuildOptions, PackageSource } from '../../src/deploy/desired.ts'
import { buildPackage } from '../../src/deploy/package/build.ts'
import { TemplateProblem } from '../../src/deploy/problem.ts'
import { readZip } from '../../src/functions/registry/zip.ts'
import { temporaryFolder } from '../cli/program.ts'

type Files = Readonly<Record<string, string>>

async function projectOf(t: TestContext, files: Files): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

const place = { file: 'template.yaml', line: 7, column: 16 }

const functionOf = (runtime: string, handler: string, source: PackageSource): DesiredFunction => ({
  logicalId: 'Orders',
  place,
  name: 'orders',
  configuration: { runtime, handler, role: 'arn:aws:iam::000000000000:role/any' },
  architecture: undefined,
  perTenant: false,
  isKept: false,
  tags: {},
  source,
  reservedConcurrency: undefined,
  recursiveLoop: undefined,
  versions: [],
  aliases: [],
  eventInvoke: [],
  permissions: [],
})

const build = (path: string, runtime: string, handler: string, how: Build = { method: 'by-runtime' }) =>
  buildPackage(functionOf(runtime, handler, { kind: 'path', path, place, build: how }))

async function contentsOf(bytes: Uint8Array): Promise<Record<string, string>> {
  const contents: Record<string, string> = {}
  for await (const entry of readZip(bytes)) {
    if (entry.kind !== 'file') continue
    let text = entry.executable ? '(executable) ' : ''
    for await (const piece of entry.content()) text += piece.toString()
    contents[entry.path] = text
  }
  return contents
}

const namesOf = async (bytes: Uint8Array) => Object.keys(await contentsOf(bytes)).sort()

describe('a folder', () => {
  test('is the same package whenever it was written, without what tools leave in it', async (t) => {
    const files = { 'app.mjs': 'export const handler = 1', 'lib/a.js': 'a', '.git/HEAD': 'x', '.aws-sam/y': 'y' }
    const [one, two] = [await projectOf(t, files), await projectOf(t, files)]
    await utimes(join(two, 'app.mjs'), 1, 1)
    const packages = [await build(one, 'nodejs24.x', 'app.handler'), await build(two, 'nodejs24.x', 'app.handler')]
    assert.equal(packages[0]?.sha256, packages[1]?.sha256)
    assert.deepEqual(await namesOf(packages[0]?.bytes ?? new Uint8Array()), ['app.mjs', 'lib/a.js'])
  })

  test('keeps what may be executed', async (t) => {
    const folder = await projectOf(t, { bootstrap: '#!/bin/sh', 'data.txt': 'd' })
    await chmod(join(folder, 'bootstrap'), 0o750)
    const { bytes } = await build(folder, 'provided.al2023', 'any')
    assert.deepEqual(await contentsOf(bytes), { bootstrap: '(executable) #!/bin/sh', 'data.txt': 'd' })
  })

  test('has links within the project followed, and ends where they go in a circle', async (t) => {
    const root = await projectOf(t, { '.git/HEAD': '', 'shared/tool.js': 'tool', 'src/app.js': 'app' })
    await symlink('../shared', join(root, 'src/shared'))
    await symlink('.', join(root, 'src/self'))
    const { bytes } = await build(join(root, 'src'), 'nodejs24.x', 'app.handler')
    assert.deepEqual(await namesOf(bytes), ['app.js', 'shared/tool.js'])
  })

  const REFUSED: readonly [
    string,
    Files,
    string,
    string,
    RegExp | ((error: unknown) => boolean),
    ((folder: string) => Promise<void>)?,
  ][] = [
    [
      'a link out of the project',
      { 'src/app.js': '' },
      'nodejs24.x',
      'app.handler',
      /template\.yaml:7:16: the link secret leads out of the project, to \//,
      (folder) => symlink('/etc/hostname', join(folder, 'src/secret')),
    ],
    [
      'a link to nothing',
      { 'src/app.js': '' },
      'nodejs24.x',
      'app.handler',
      /the link dead in the folder leads nowhere/,
      (folder) => symlink('nowhere', join(folder, 'src/dead')),
    ],
    [
      'more ways than there are folders',
      { 'src/app.js': '', 'src/x/a': '' },
      'nodejs24.x',
      'app.handler',
      /the folder .* has more than 65535 files and folders/,
      async (folder) => {
        for (let depth = 0, at = join(folder, 'src'); depth < 20; depth += 1, at = join(at, 'x')) {
          await mkdir(join(at, 'x'), { recursive: true })
          await symlink('x', join(at, 'y'))
        }
      },
    ],
    ['a folder that is not there', { 'other/a': '' }, 'nodejs24.x', 'app.handler', /src does not exist/],
    [
      'a handler that is not there',
      { 'src/b.js': '' },
      'nodejs24.x',
      'app.handler',
      /no source for the handler app\.handler/,
    ],
    [
      'packages that were not installed',
      { 'src/app.js': '', 'src/package.json': '{"dependencies":{"left-pad":"1"}}' },
      'nodejs24.x',
      'app.handler',
      /the dependency left-pad is not in .*node_modules/,
    ],
    [
      'a manifest that is none',
      { 'src/app.js': '', 'src/package.json': '{' },
      'nodejs24.x',
      'app.handler',
      /package\.json is not JSON/,
    ],
    [
      'TypeScript with a mistake',
      { 'src/app.ts': 'export const handler = ' },
      'nodejs24.x',
      'app.handler',
      /esbuild cannot bundle this: .*app\.ts:1:\d+: /,
    ],
    [
      'TypeScript without its packages',
      { 'src/app.ts': "import 'left-pad'\nexport const handler = 1" },
      'nodejs24.x',
      'app.handler',
      (error: unknown) => error instanceof TemplateProblem && /^install it: run "npm install" in /.test(error.fix),
    ],
    [
      'Java that is not built',
      { 'src/pom.xml': '' },
      'java21',
      'a.B::c',
      /project that is not built \(it has a pom\.xml\)/,
    ],
    ['no bootstrap', { 'src/main.go': '' }, 'provided.al2023', 'any', /no executable "bootstrap"/],
  ]
  for (const [what, files, runtime, handler, message, prepare] of REFUSED) {
    test(`is refused: ${what}`, async (t) => {
      const folder = await projectOf(t, files)
      await prepare?.(folder)
      await assert.rejects(build(join(folder, 'src'), runtime, handler), message)
    })
  }
})

test('a manifest that names nothing asks for nothing', async (t) => {
  for (const manifest of ['null', '{"dependencies":null}']) {
    const folder = await projectOf(t, { 'src/app.js': '', 'src/package.json': manifest })
    const { bytes } = await build(join(folder, 'src'), 'nodejs24.x', 'app.handler')
    assert.deepEqual(await namesOf(bytes), ['app.js', 'package.json'])
  }
})

test('a zip that is too large is refused without being read, and so is a path that can be none', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'large.zip')
  await writeFile(file, '')
  await truncate(file, 3_000_000_000)
  await assert.rejects(build(file, 'nodejs24.x', 'app.handler'), /large\.zip has 3000000000 bytes, and no package may/)
  await assert.rejects(build(`${folder}\0`, 'nodejs24.x', 'app.handler'), /a path has no zero character/)
})

test('what the file system refuses is told with its place', async (t) => {
  const folder = await projectOf(t, { 'src/app.js': '' })
  await symlink('loop', join(folder, 'loop'))
  await assert.rejects(
    build(join(folder, 'loop'), 'nodejs24.x', 'app.handler'),
    /^TemplateProblem: template\.yaml:7:16: the code of Orders cannot be read: ELOOP/,
  )
})

describe('TypeScript', () => {
  const source = {
    'src/orders/app.ts':
      "import { greet } from './greet'\nenum Mood { Fine }\nexport const handler = async () => greet(Mood.Fine)",
    'src/orders/greet.ts': 'export const greet = (mood: number): string => "hello " + mood',
  }

  async function answerOf(t: TestContext, bytes: Uint8Array, path: string): Promise<unknown> {
    const contents = await contentsOf(bytes)
    const folder = await projectOf(t, contents)
    const { handler } = (await import(join(folder, path))) as { handler: () => Promise<unknown> }
    return await handler()
  }

  test('is bundled without being told how', async (t) => {
    const folder = await projectOf(t, source)
    const { bytes } = await build(join(folder, 'src'), 'nodejs24.x', 'orders/app.handler')
    assert.deepEqual(await namesOf(bytes), ['orders/app.mjs', 'orders/app.mjs.map'])
    assert.equal(await answerOf(t, bytes, 'orders/app.mjs'), 'hello 0')
  })

  test('is bundled as BuildProperties say', async (t) => {
    const folder = await projectOf(t, source)
    const options = { EntryPoints: ['orders/app.ts'], Format: 'esm', Minify: true, Sourcemap: false }
    const { bytes } = await build(join(folder, 'src'), 'nodejs24.x', 'app.handler', {
      method: 'esbuild',
      options,
      place,
    })
    assert.deepEqual(await namesOf(bytes), ['app.js', 'package.json'])
    assert.equal(await answerOf(t, bytes, 'app.js'), 'hello 0')
    const common = { EntryPoints: ['orders/app.ts'] }
    const old = await build(join(folder, 'src'), 'nodejs24.x', 'app.handler', {
      method: 'esbuild',
      options: common,
      place,
    })
    assert.match((await contentsOf(old.bytes))['app.js'] ?? '', /module\.exports/)
  })

  test('is refused with options that esbuild does not take', async (t) => {
    const folder = await projectOf(t, source)
    const OPTIONS: readonly [EsbuildOptions, RegExp][] = [
      [{ Format: 'foo' }, /cannot bundle this: Invalid value "foo"/],
      [{ Target: 'es1' }, /cannot bundle this: Invalid target "es1"/],
      [{ Loader: ['.ts=nope'] }, /cannot bundle this: Invalid loader value: "nope"/],
    ]
    for (const [options, message] of OPTIONS) {
      const built = build(join(folder, 'src'), 'nodejs24.x', 'orders/app.handler', {
        method: 'esbuild',
        options,
        place,
      })
      await assert.rejects(built, (error: unknown) => {
        assert.ok(error instanceof TemplateProblem)
        assert.match(error.message, message)
        assert.equal(error.fix, 'correct BuildProperties')
        return true
      })
    }
  })

  test('names an entry point that is not there', async (t) => {
    const folder = await projectOf(t, source)
    const options = { EntryPoints: ['app.ts'] }
    await assert.rejects(
      build(join(folder, 'src'), 'nodejs24.x', 'app.handler', { method: 'esbuild', options, place }),
      /the entry point .*src\/app\.ts does not exist/,
    )
  })
})

describe('a Makefile', {
  skip: spawnSync('make', ['--version']).status === 0 ? false : 'make is not on the PATH',
}, () => {
  const how = { method: 'makefile', place } as const

  test('makes what the function consists of', async (t) => {
    const folder = await projectOf(t, {
      Makefile: 'build-Orders:\n\tcp start.sh $(ARTIFACTS_DIR)/bootstrap\n\tchmod +x $(ARTIFACTS_DIR)/bootstrap\n',
      'start.sh': '#!/bin/sh',
    })
    const { bytes } = await build(folder, 'provided.al2023', 'any', how)
    assert.deepEqual(await contentsOf(bytes), { bootstrap: '(executable) #!/bin/sh' })
  })

  test('that fails, or makes nothing, is told', async (t) => {
    const failing = await projectOf(t, { Makefile: 'build-Orders:\n\t@echo the compiler is away; exit 3\n' })
    await assert.rejects(
      build(failing, 'provided.al2023', 'any', how),
      /"make build-Orders" failed in .*the compiler is away/,
    )
    const idle = await projectOf(t, { Makefile: 'build-Orders:\n\t@true\n' })
    await assert.rejects(build(idle, 'provided.al2023', 'any', how), /left nothing in \$\(ARTIFACTS_DIR\)/)
  })
})

describe('Python', {
  skip: spawnSync('python3', ['-m', 'pip', '--version']).status === 0 ? false : 'pip is not there',
}, () => {
  test('gets the packages that requirements.txt names, and is the same package each time', async (t) => {
    // A package on this disk: nothing is fetched.
    const folder = await projectOf(t, {
      'fn/app.py': 'import greeting',
      'fn/requirements.txt': '# our own\n../greeting\n',
      'greeting/pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
      'greeting/backend.py': BACKEND,
    })
    const [one, two] = [
      await build(join(folder, 'fn'), 'python3.13', 'app.handler'),
      await build(join(folder, 'fn'), 'python3.13', 'app.handler'),
    ]
    const names = await namesOf(one.bytes)
    assert.ok(names.includes('greeting.py') && names.includes('app.py'), names.join())
    assert.equal(one.sha256, two.sha256)
  })

  test('is told of what pip cannot install', async (t) => {
    const folder = await projectOf(t, { 'app.py': '', 'requirements.txt': './not-there\n' })
    await assert.rejects(build(folder, 'python3.13', 'app.handler'), /pip cannot install .*requirements\.txt: /)
  })
})

/** The smallest build backend that there can be: a wheel with one module in it. */
const BACKEND = `
import base64, hashlib, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "greeting-1.0-py3-none-any.whl"
    files = {
        "greeting.py": b"HELLO = 'hello'\\n",
        "greeting-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: greeting\\nVersion: 1.0\\n",
        "greeting-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = "greeting-1.0.dist-info/RECORD"
    lines = [
        "%s,sha256=%s,%d" % (path, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(), len(data))
        for path, data in files.items()
    ]
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
        wheel.writestr(record, "\\n".join(lines + [record + ",,"]) + "\\n")
    return name
`

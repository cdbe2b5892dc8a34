/** The languages that the scenarios are written in: how a deployment package comes about, and what runs it. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Runtime } from '@aws-sdk/client-lambda'
import { build } from 'esbuild'
import { packageOf } from '../versions/registered.ts'
import { type Found, has, isKept, kept, output } from './kept.ts'

export interface Language {
  /** As the handler calls itself. */
  readonly name: string
  readonly runtime: Runtime
  readonly handler: string
  readonly zip: Buffer
  /** What the server is configured with to run it. */
  readonly runtimes: Readonly<Record<string, string>>
}

const handlers = join(import.meta.dirname, 'handlers')
const read = (...path: readonly string[]): string => readFileSync(join(handlers, ...path), 'utf8')

export async function javascript(): Promise<Found<Language>> {
  const { outputFiles } = await build({
    entryPoints: [join(handlers, 'node', 'app.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    minify: true,
    logLevel: 'silent',
  })
  const zip = packageOf({ 'index.js': outputFiles[0]?.text ?? '' })
  return { name: 'javascript', runtime: 'nodejs24.x', handler: 'index.handler', zip, runtimes: {} }
}

// ---------------------------------------------------------------------------------------------------------- Python

const REQUIREMENTS = read('python', 'requirements.txt')
const PACKAGED = read('python', 'requirements-package.txt')

/** An interpreter that the durable SDK can run on: on the PATH, or one that pyenv installed. */
async function interpreter(): Promise<string | undefined> {
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  const installed = existsSync(pyenv) ? readdirSync(pyenv) : []
  const candidates = ['3.13', '3.14', '3.12', '3.11'].flatMap((version) => [
    `python${version}`,
    ...installed.filter((name) => name.startsWith(`${version}.`)).map((name) => join(pyenv, name, 'bin', 'python3')),
  ])
  const question = ['-c', 'import sys, venv, ensurepip; print(sys.executable)']
  for (const candidate of candidates) {
    // A name on the PATH may be a shim for something that is not there.
    const answer = await output(candidate, question).catch(() => undefined)
    if (answer !== undefined) return answer.trim()
  }
  return undefined
}

export interface PythonPlace {
  /** A folder of programs: `python`, `aws`. */
  readonly bin: string
  /** An interpreter that has nothing but what Python brings. */
  readonly plain: string
}

/** A virtual environment with boto3, the AWS CLI and the official runtime interface client. */
export async function python(): Promise<Found<PythonPlace>> {
  const plain = await interpreter()
  if (plain === undefined) return { missing: 'Python 3.11 or later, with its modules venv and ensurepip' }
  const made = await kept('python', [plain, REQUIREMENTS], async (folder) => {
    await output(plain, ['-m', 'venv', folder])
    await output(join(folder, 'bin', 'python'), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
      ...['--requirement', join(handlers, 'python', 'requirements.txt')],
    ])
  })
  return typeof made === 'string' ? { bin: join(made, 'bin'), plain } : made
}

export async function pythonLanguage(): Promise<Found<Language>> {
  const place = await python()
  if ('missing' in place) return place
  const { bin } = place
  const version = (
    await output(join(bin, 'python'), ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  ).trim()
  const sdk = await kept('python-package', [bin, PACKAGED], async (folder) => {
    // Without what it depends on: boto3 is where the interpreter is, as on the real service.
    await output(join(bin, 'python'), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile'],
      ...['--target', folder, '--requirement', join(handlers, 'python', 'requirements-package.txt')],
    ])
  })
  if (typeof sdk !== 'string') return sdk
  const zip = packageOf({ ...filesOf(sdk), 'app.py': read('python', 'app.py') })
  const runtimes = { python: join(bin, 'python') }
  return { name: 'python', runtime: `python${version}` as Runtime, handler: 'app.handler', zip, runtimes }
}

// ------------------------------------------------------------------------------------------------------------ Java

/** The official AWS SDK and runtime interface client: a folder of jars. */
export async function javaLibraries(): Promise<Found<string>> {
  const newEnough = (answer: string) => Number(/javac (\d+)/.exec(answer)?.[1]) >= 17
  if (!(await has('javac', ['-version'], newEnough))) return { missing: 'a JDK of version 17 or later' }
  if (!(await has('mvn', ['-version']))) return { missing: 'Maven' }
  const made = await kept('java-libraries', [read('java', 'pom.xml')], async (into) => {
    cpSync(join(handlers, 'java', 'pom.xml'), join(into, 'pom.xml'))
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies'
    const repository = `-Dmaven.repo.local=${join(into, 'repository')}`
    await output('mvn', ['--quiet', '--batch-mode', repository, goal, '-DoutputDirectory=lib'], into)
  })
  return typeof made === 'string' ? join(made, 'lib') : made
}

export interface JavaPlace {
  /** Of compiled classes. */
  readonly classes: string
  /** Of jars that they need. */
  readonly libraries: string
}

/** Compiles the Java of a folder. */
export async function java(folder: string): Promise<Found<JavaPlace>> {
  const libraries = await javaLibraries()
  if (typeof libraries !== 'string') return libraries
  const sources = readdirSync(folder).map((file) => join(folder, file))
  const texts = sources.map((file) => readFileSync(file, 'utf8'))
  const classes = await kept('java-classes', [libraries, ...texts], async (into) => {
    await output('javac', ['--release', '17', '-cp', join(libraries, '*'), '-d', into, ...sources])
  })
  return typeof classes === 'string' ? { classes, libraries } : classes
}

export async function javaLanguage(): Promise<Found<Language>> {
  const place = await java(join(handlers, 'java', 'src'))
  if ('missing' in place) return place
  const jars = Object.entries(filesOf(place.libraries)).map(([name, bytes]) => [`lib/${name}`, bytes] as const)
  const zip = packageOf({ ...filesOf(place.classes), ...Object.fromEntries(jars) })
  return { name: 'java', runtime: 'java17', handler: 'App::handle', zip, runtimes: {} }
}

// ------------------------------------------------------------------------------------------------------------ Rust

const CRATE = ['Cargo.toml', 'Cargo.lock', join('src', 'main.rs')]

export async function rustLanguage(): Promise<Found<Language>> {
  const madeFrom = CRATE.map((file) => read('rust', file))
  if (!process.env['CI'] && !isKept('rust', madeFrom)) {
    return { missing: 'a binary that takes minutes to compile: CI does it, and who runs these tests with CI=1' }
  }
  const newEnough = (answer: string) => Number(/rustc 1\.(\d+)/.exec(answer)?.[1]) >= 94
  if (!(await has('rustc', ['--version'], newEnough))) return { missing: 'Rust 1.94 or later' }
  const crate = await kept('rust', madeFrom, async (folder) => {
    const manifest = join(handlers, 'rust', 'Cargo.toml')
    const made = join(folder, '..', 'rust-target')
    await output('cargo', ['build', '--quiet', '--locked', '--manifest-path', manifest, '--target-dir', made])
    cpSync(join(made, 'debug', 'bootstrap'), join(folder, 'bootstrap'))
  })
  if (typeof crate !== 'string') return crate
  const zip = packageOf(filesOf(crate))
  return { name: 'rust', runtime: 'provided.al2023', handler: 'bootstrap', zip, runtimes: {} }
}

// -----------------------------------------------------------------------------------------------------------------

/** Of a folder, by their path in it. */
function filesOf(folder: string): Record<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
  const files = entries.filter((entry) => entry.isFile() && entry.name !== '.made')
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path)]
    }),
  )
}

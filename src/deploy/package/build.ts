/** The package of a function, made on this machine from its source. */
import { createHash } from 'node:crypto'
import { existsSync, type Stats } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { DesiredFunction, DesiredLayer, PackageSource } from '../desired.ts'
import { TemplateProblem } from '../problem.ts'
import type { Place } from '../template/node.ts'
import { AS_MODULE, bundleFolder, bundleModule, handlerSource, isTypeScript, missingDependency } from './bundle.ts'
import { filesOf } from './folder.ts'
import { findProgram, lastLines, runProgram } from './programs.ts'
import { writeZip, type ZipFile } from './zip.ts'

export interface BuiltPackage {
  readonly bytes: Uint8Array
  /** As the API shows it: base64 of the SHA-256. */
  readonly sha256: string
}

/** Of the real service; it holds for what is uploaded. */
const ZIPPED_BYTES = 52_428_800

/** Throws a `TemplateProblem` for what its owner can mend. */
export async function buildPackage(of: DesiredFunction): Promise<BuiltPackage> {
  return await readable(of, async () => packed(of, await packageBytes(of)))
}

/** Of a layer: what is in its folder, or what its build method makes of that. */
export async function buildLayer(of: DesiredLayer): Promise<BuiltPackage> {
  return await readable(of, async () => packed(of, await layerBytes(of)))
}

async function layerBytes(of: DesiredLayer): Promise<Uint8Array> {
  const { path, place, build } = of.source
  const found = await statOf(path, place)
  if (found.isFile()) return await zipAt(path, found, place)
  const files =
    build.method === 'makefile'
      ? await made(of, path, build.place)
      : of.prefix === 'python'
        ? await pythonFiles(path, 'python3', place)
        : await filesOf(path, place)
  const under = of.prefix === undefined ? files : files.map((file) => ({ ...file, path: `${of.prefix}/${file.path}` }))
  return writeZip(under)
}

type Packed = Pick<DesiredFunction, 'logicalId' | 'place' | 'source'>

const placeOf = ({ source, place }: Packed): Place | undefined => (source.kind === 'path' ? source.place : place)

/** What the file system refuses (a file that may not be read, or that went meanwhile) is its owner's to mend. */
async function readable<Value>(of: Packed, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'path' in error)) throw error
    throw new TemplateProblem(placeOf(of), `the code of ${of.logicalId} cannot be read: ${error.message}`, 'mend that')
  }
}

function packed(of: Packed, bytes: Uint8Array): BuiltPackage {
  requireSize(`the package of ${of.logicalId}`, bytes.length, placeOf(of))
  return { bytes, sha256: createHash('sha256').update(bytes).digest('base64') }
}

function requireSize(what: string, bytes: number, place: Place | undefined): void {
  if (bytes <= ZIPPED_BYTES) return
  throw new TemplateProblem(
    place,
    `${what} has ${bytes} bytes, and no package may have more than ${ZIPPED_BYTES}`,
    'leave out what it does not need, or bundle it: Metadata with BuildMethod: esbuild',
  )
}

async function packageBytes(of: DesiredFunction): Promise<Uint8Array> {
  const { source, configuration } = of
  switch (source.kind) {
    case 'inline':
      return writeZip([inlineFile(source.text, configuration.runtime, of.place)])
    case 'module':
      return writeZip(await bundleModule(source.file))
    case 'path':
      return await fromPath(of, source)
  }
}

function inlineFile(text: string, runtime: string, place: Place | undefined): ZipFile {
  const ending = runtime.startsWith('nodejs') ? 'js' : runtime.startsWith('python') ? 'py' : undefined
  if (ending !== undefined) return { path: `index.${ending}`, content: Buffer.from(text), executable: false }
  throw new TemplateProblem(place, `code of ${runtime} cannot be written into a template`, 'put it into a folder')
}

async function fromPath(of: DesiredFunction, source: PackageSource & { readonly kind: 'path' }): Promise<Uint8Array> {
  const { path, place, build } = source
  const found = await statOf(path, place)
  if (found.isFile()) return await zipAt(path, found, place)
  switch (build.method) {
    case 'makefile':
      return writeZip(await made(of, path, build.place))
    case 'esbuild':
      return writeZip(await bundleFolder(path, of.configuration.handler, build.options, build.place))
    case 'other':
      requireBuilt(of, path, build.name, build.place)
      return writeZip(await filesOf(path, place))
    case 'built':
      return writeZip(await filesOf(path, place))
    case 'by-runtime':
      return writeZip(await byRuntime(of, path, place))
  }
}

async function statOf(path: string, place: Place | undefined): Promise<Stats> {
  if (path.includes('\0')) throw new TemplateProblem(place, 'a path has no zero character', 'correct the path')
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  })
  if (found !== undefined) return found
  throw new TemplateProblem(place, `${path} does not exist`, 'correct the path: it is relative to the template')
}

async function zipAt(path: string, { size }: Stats, place: Place | undefined): Promise<Uint8Array> {
  if (['.zip', '.jar'].includes(extname(path).toLowerCase())) {
    requireSize(path, size, place)
    return await readFile(path)
  }
  throw new TemplateProblem(place, `${path} is neither a folder nor a zip nor a jar`, 'name the folder of the code')
}

async function byRuntime(of: DesiredFunction, folder: string, place: Place | undefined): Promise<readonly ZipFile[]> {
  const { runtime, handler } = of.configuration
  if (runtime.startsWith('nodejs')) return await nodeFiles(folder, handler, place)
  if (runtime.startsWith('python')) return await pythonFiles(folder, runtime, place)
  if (runtime.startsWith('java')) requireJavaBuilt(folder, place)
  if (runtime.startsWith('provided')) requireBuilt(of, folder, undefined, place)
  return await filesOf(folder, place)
}

// --------------------------------------------------------------------------------------------------------- languages

async function nodeFiles(folder: string, handler: string, place: Place | undefined): Promise<readonly ZipFile[]> {
  const source = handlerSource(folder, handler)
  // What lies in a layer is not here.
  if (source === undefined && !handler.startsWith('/')) {
    throw new TemplateProblem(place, `there is no source for the handler ${handler} in ${folder}`, 'correct Handler')
  }
  if (source !== undefined && isTypeScript(source)) return await bundleFolder(folder, handler, AS_MODULE, place)
  const missing = await missingDependency(folder, place)
  if (missing === undefined) return await filesOf(folder, place)
  throw new TemplateProblem(
    place,
    `the dependency ${missing} is not in ${join(folder, 'node_modules')}`,
    'run "npm ci" in that folder, or bundle the function: Metadata with BuildMethod: esbuild',
  )
}

/** What requirements.txt names, under the folder's own files. */
async function pythonFiles(folder: string, runtime: string, place: Place | undefined): Promise<readonly ZipFile[]> {
  const own = await filesOf(folder, place)
  const requirements = join(folder, 'requirements.txt')
  if (!existsSync(requirements) || (await readFile(requirements, 'utf8')).replaceAll(/#.*|\s/g, '') === '') return own
  return await withTemporaryFolder(async (target) => {
    const pip = await findProgram(
      [[runtime, '-m', 'pip'], ['python3', '-m', 'pip'], ['pip3'], ['pip']],
      ['--version'],
      folder,
    )
    if (pip === undefined) {
      throw new TemplateProblem(
        place,
        `${requirements} names packages, and there is no pip to install them`,
        `install Python ${runtime.slice('python'.length)} with pip, or put the packages into the folder yourself`,
      )
    }
    const [command, ...args] = pip
    // Compiled files carry the time of their making.
    const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-compile', '--target', target]
    const { code, said } = await runProgram(command, [...args, 'install', ...options, '-r', requirements], {
      cwd: folder,
    })
    if (code !== 0) {
      throw new TemplateProblem(place, `pip cannot install ${requirements}: ${lastLines(said)}`, 'correct the file')
    }
    const files = new Map([...(await filesOf(target, place)), ...own].map((file) => [file.path, file]))
    return [...files.values()]
  })
}

function requireJavaBuilt(folder: string, place: Place | undefined): void {
  const is = (name: string): boolean => existsSync(join(folder, name))
  if (is('lib') || is('META-INF')) return
  const [file, command] = is('pom.xml')
    ? ['pom.xml', '"mvn package", and name the jar in target/']
    : is('build.gradle') || is('build.gradle.kts')
      ? ['build.gradle', '"gradle build", and name the zip or jar in build/']
      : []
  if (file === undefined) return
  throw new TemplateProblem(place, `${folder} is a project that is not built (it has a ${file})`, `run ${command}`)
}

/** Of `provided.*` runs the executable `bootstrap`. */
function requireBuilt(
  { logicalId, configuration }: DesiredFunction,
  folder: string,
  method: string | undefined,
  place: Place | undefined,
): void {
  if (!configuration.runtime.startsWith('provided')) {
    if (method === undefined) return
    throw new TemplateProblem(
      place,
      `the build method ${method} is not known for ${configuration.runtime}`,
      'build it with "sam build", and deploy .aws-sam/build/template.yaml',
    )
  }
  if (existsSync(join(folder, 'bootstrap'))) return
  throw new TemplateProblem(
    place,
    `there is no executable "bootstrap" in ${folder}`,
    method === undefined
      ? `build it there, or give ${logicalId} Metadata with BuildMethod: makefile`
      : 'build it with "sam build", and deploy .aws-sam/build/template.yaml',
  )
}

/** `make build-<LogicalId>` puts into ARTIFACTS_DIR what the function consists of. */
async function made(
  { logicalId }: Pick<DesiredFunction, 'logicalId'>,
  folder: string,
  place: Place,
): Promise<readonly ZipFile[]> {
  return await withTemporaryFolder(async (artifacts) => {
    const target = `build-${logicalId}`
    const { code, said } = await runProgram('make', [target], { cwd: folder, env: { ARTIFACTS_DIR: artifacts } })
    if (code === undefined) throw new TemplateProblem(place, 'there is no program make on the PATH', 'install it')
    if (code !== 0) {
      throw new TemplateProblem(
        place,
        `"make ${target}" failed in ${folder}: ${lastLines(said)}`,
        'correct the Makefile',
      )
    }
    const files = await filesOf(artifacts, place)
    if (files.length > 0) return files
    throw new TemplateProblem(
      place,
      `"make ${target}" left nothing in $(ARTIFACTS_DIR)`,
      'let the target copy there what the function consists of',
    )
  })
}

async function withTemporaryFolder<Value>(use: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-deploy-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

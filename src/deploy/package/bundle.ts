/** Node.js sources to a package, by esbuild: as SAM's build method asks, or because they are TypeScript. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, extname, join, relative, resolve } from 'node:path'
import type { BuildFailure, BuildOptions, Format, Loader } from 'esbuild'
import type { EsbuildOptions } from '../desired.ts'
import { TemplateProblem } from '../problem.ts'
import type { Place } from '../template/node.ts'
import type { ZipFile } from './zip.ts'

const SOURCE_ENDINGS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'] as const
const TYPESCRIPT = new Set<string>(['.ts', '.mts', '.cts', '.tsx'])

/** The source of a handler: `src/app.run` is in `src/app.ts`, or in a file of another ending. */
export function handlerSource(folder: string, handler: string): string | undefined {
  const module = join(folder, modulePath(handler))
  return SOURCE_ENDINGS.map((ending) => `${module}${ending}`).find((file) => existsSync(file))
}

export const isTypeScript = (file: string): boolean => TYPESCRIPT.has(extname(file))

/** `src/app.run` → `src/app`: the module's name ends at the first dot behind the last slash. */
const modulePath = (handler: string): string => /^(.*?[^/.]*)\.[^/]+$/.exec(handler)?.[1] ?? handler

/** SAM's own defaults for what is left out, but for modules: what is not told is what the project is. */
export async function bundleFolder(
  folder: string,
  handler: string,
  options: EsbuildOptions,
  place: Place | undefined,
): Promise<readonly ZipFile[]> {
  const source = handlerSource(folder, handler)
  const entryPoints =
    options.EntryPoints?.map((each) => resolve(folder, each)) ?? (source === undefined ? [] : [source])
  const [first] = entryPoints
  if (first === undefined) {
    throw new TemplateProblem(
      place,
      `there is no source for the handler ${handler} in ${folder}`,
      'correct Handler, or name the sources with EntryPoints under BuildProperties',
    )
  }
  const absent = entryPoints.find((file) => !existsSync(file))
  if (absent !== undefined) {
    throw new TemplateProblem(place, `the entry point ${absent} does not exist`, 'correct EntryPoints')
  }
  const built = await bundled(entryPoints, folder, options, place)
  // SAM puts the output of a single entry point at the root. Where the handler names its folder, that is what is meant.
  if (options.EntryPoints !== undefined || entryPoints.length > 1) return withModuleType(built, options)
  const prefix = dirname(modulePath(handler))
  const moved = prefix === '.' ? built : built.map((file) => ({ ...file, path: `${prefix}/${file.path}` }))
  return withModuleType(moved, options)
}

/** A module that was declared in a program, as `index.mjs`. */
export async function bundleModule(file: string): Promise<readonly ZipFile[]> {
  return await bundled([file], dirname(file), { ...AS_MODULE, entryNames: 'index' }, undefined)
}

/** For sources of which nobody said how they are to be built. */
export const AS_MODULE: EsbuildOptions = { Format: 'esm', OutExtension: ['.js=.mjs'], Minify: false, Sourcemap: true }

/** Names that the files of an ES module have, and Node's own loader needs to be told by a package.json. */
function withModuleType(files: readonly ZipFile[], { Format }: EsbuildOptions): readonly ZipFile[] {
  if (Format !== 'esm' || !files.some(({ path }) => path.endsWith('.js'))) return files
  return [...files, { path: 'package.json', content: Buffer.from('{"type":"module"}\n'), executable: false }]
}

async function bundled(
  entryPoints: readonly string[],
  folder: string,
  { entryNames, ...options }: EsbuildOptions & { readonly entryNames?: string },
  place: Place | undefined,
): Promise<readonly ZipFile[]> {
  const esbuild = await import('esbuild')
  // Nothing is written there: paths in source maps are relative to it.
  const outdir = join(folder, '.perdure', 'bundle')
  try {
    const { outputFiles } = await esbuild.build({
      ...esbuildOptions(options),
      entryPoints: [...entryPoints],
      ...(entryNames !== undefined && { entryNames }),
      absWorkingDir: folder,
      outdir,
      bundle: true,
      write: false,
      platform: 'node',
      logLevel: 'silent',
    })
    return outputFiles.map(({ path, contents }) => ({
      path: relative(outdir, path).replaceAll('\\', '/'),
      content: contents,
      executable: false,
    }))
  } catch (error) {
    // What an option cannot be is told without a list of mistakes in sources.
    const isOption = error instanceof Error && !isBuildFailure(error)
    if (!isOption && !isBuildFailure(error)) throw error
    const mistake = isOption ? error.message : firstMistake(error, folder)
    throw new TemplateProblem(place, `esbuild cannot bundle this: ${mistake}`, fixOf(mistake, isOption, folder))
  }
}

/** What is not known here was refused when the template was read. */
function esbuildOptions(options: EsbuildOptions): BuildOptions {
  const format = (options.Format ?? 'cjs') as Format
  return {
    format,
    target: options.Target ?? 'es2022',
    minify: options.Minify ?? true,
    sourcemap: options.Sourcemap === true ? 'linked' : false,
    sourcesContent: options.SourcesContent ?? false,
    // The runtime of the cloud has the AWS SDK, and this one has not.
    external: (options.External ?? []).filter((name) => !/^@?aws-sdk(\/|$)/.test(name)),
    ...(options.MainFields !== undefined && { mainFields: [...options.MainFields] }),
    ...(options.Loader !== undefined && { loader: pairs(options.Loader) as Readonly<Record<string, Loader>> }),
    ...(options.OutExtension !== undefined && { outExtension: pairs(options.OutExtension) }),
    ...(options.KeepNames !== undefined && { keepNames: options.KeepNames }),
    ...(options.TreeShaking !== undefined && { treeShaking: options.TreeShaking }),
    // Packages written for CommonJS call `require`, which an ES module has not.
    ...(format === 'esm' && { banner: { js: REQUIRE } }),
  }
}

const REQUIRE =
  "import { createRequire as perdureCreateRequire } from 'node:module'; const require = perdureCreateRequire(import.meta.url);"

/** Of a package, not of a file beside the source. */
const UNRESOLVED_PACKAGE = /Could not resolve "[^./"]/

function fixOf(mistake: string, isOption: boolean, folder: string): string {
  if (isOption) return 'correct BuildProperties'
  return UNRESOLVED_PACKAGE.test(mistake) ? `install it: run "npm install" in ${folder}` : 'correct the source'
}

/** `.js=.mjs` */
const pairs = (texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    texts.map((each) => {
      const equals = each.indexOf('=')
      return equals < 0 ? [each, ''] : [each.slice(0, equals), each.slice(equals + 1)]
    }),
  )

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function firstMistake({ errors, message }: BuildFailure, folder: string): string {
  const [first] = errors
  if (first === undefined) return message
  const { location, text } = first
  if (location === null) return text
  return `${resolve(folder, location.file)}:${location.line}:${location.column + 1}: ${text}`
}

/** A dependency that the folder's package.json names and that is not in it; undefined when all of them are. */
export async function missingDependency(folder: string, place: Place | undefined): Promise<string | undefined> {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return undefined
  const manifest = manifestOf(file, await readFile(file, 'utf8'), place)
  return Object.keys(manifest?.dependencies ?? {}).find((name) => !existsSync(join(folder, 'node_modules', name)))
}

function manifestOf(
  file: string,
  text: string,
  place: Place | undefined,
): { readonly dependencies?: object | null } | null {
  try {
    return JSON.parse(text)
  } catch {
    throw new TemplateProblem(place, `${file} is not JSON`, 'correct it')
  }
}

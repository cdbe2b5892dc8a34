/**
 * TypeScript handlers are bundled by esbuild, so that everything works that TypeScript promises and Node's type
 * stripping does not: enums, `paths` of the tsconfig, imports without extension. Packages stay outside the bundle.
 * Plain JavaScript is loaded as it is (decision 20).
 */
import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import type { BuildFailure, BuildOptions } from 'esbuild'
import { DeclarationError } from './declaration-error.ts'

export interface Bundle {
  /** The ES module to load in place of the handler's file. */
  readonly bundle: string
  /** Directories of the source files in it. */
  readonly bundledFrom: readonly string[]
}

const typescript = new Set(['.ts', '.mts', '.cts', '.tsx'])

/** Sources written for CommonJS use these names; in an ES module nobody else defines them. */
const commonJsNames = {
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  banner: {
    js: "import { createRequire as perdureCreateRequire } from 'node:module'; const require = perdureCreateRequire(import.meta.url);",
  },
} satisfies BuildOptions

/** Undefined for a module that Node loads as it is. `directory` is where bundles are kept. */
export async function bundleHandler(
  functionName: string,
  file: string,
  directory: string,
): Promise<Bundle | undefined> {
  if (!typescript.has(extname(file))) return undefined
  const { build } = await import('esbuild')
  try {
    const result = await build({
      entryPoints: [file],
      // Nothing is written there: the place makes the paths in the source map relative to the handler's own directory.
      outfile: `${file}.mjs`,
      write: false,
      metafile: true,
      absWorkingDir: dirname(file),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: `node${process.versions.node}`,
      packages: 'external',
      sourcemap: 'inline',
      sourcesContent: true,
      logLevel: 'silent',
      ...commonJsNames,
    })
    const [output] = result.outputFiles
    if (output === undefined) throw new Error(`esbuild made no output for ${file}`)
    const bundle = await store(directory, functionName, output.contents)
    const sources = Object.keys(result.metafile.inputs).filter((source) => !source.includes(':'))
    const directories = new Set(sources.map((source) => dirname(resolve(dirname(file), source))))
    return { bundle, bundledFrom: [...directories] }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw new DeclarationError(
      `The handler of function "${functionName}" cannot be compiled: ${describe(error, file)}.`,
      'The function cannot be served.',
      'Correct the source and start again.',
    )
  }
}

/** Written under a name of its content and then renamed: a process that starts meanwhile sees all of it or none. */
async function store(directory: string, functionName: string, contents: Uint8Array): Promise<string> {
  await mkdir(directory, { recursive: true })
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 16)
  const path = join(directory, `${functionName}-${hash}.mjs`)
  await writeFile(`${path}.${process.pid}.tmp`, contents)
  await rename(`${path}.${process.pid}.tmp`, path)
  return path
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function describe(failure: BuildFailure, file: string): string {
  const [first] = failure.errors
  if (first === undefined) return failure.message
  const { location, text } = first
  if (location === null) return `${file}: ${text}`
  return `${resolve(dirname(file), location.file)}:${location.line}:${location.column + 1}: ${text}`
}

/** The bootstrap as one JavaScript file: a process starts twice as fast when it need not strip types first. */
export async function bundleBootstrap(directory: string): Promise<string> {
  const here = import.meta.url.endsWith('.ts') ? './bootstrap/main.ts' : './bootstrap/main.js'
  const source = createRequire(import.meta.url).resolve(here)
  const { build } = await import('esbuild')
  const result = await build({
    entryPoints: [source],
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    logLevel: 'silent',
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error('esbuild made no output for the bootstrap')
  return store(directory, 'bootstrap', output.contents)
}

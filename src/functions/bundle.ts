/**
 * TypeScript handlers are bundled by esbuild, so that everything works that TypeScript promises and Node's type
 * stripping does not: enums, `paths` of the tsconfig, imports without extension. Packages stay outside the bundle.
 * Plain JavaScript is loaded as it is (decision 20), unless handlers are reloaded: then it is bundled too, so that a
 * half-written file is in nobody's way until it compiles.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, BuildOptions, Loader, Plugin } from 'esbuild'
import { DeclarationError } from './declaration-error.ts'

export interface Bundle {
  /** The ES module to load in place of the handler's file. */
  readonly bundle: string
  /** Directories of the source files in it. */
  readonly bundledFrom: readonly string[]
}

export interface Bundler {
  /** Undefined for a module that Node loads as it is. Functions of the same file share a bundle. */
  handler(functionName: string, file: string): Promise<Bundle | undefined>
  /** The file that function processes run. */
  bootstrap(): Promise<string>
  /** Looks at the sources again from now on. */
  forget(): void
  /** Removes what earlier servers bundled and this one did not. */
  discardOthers(): Promise<void>
}

const typescript = new Set(['.ts', '.mts', '.cts'])

/** `directory` is where bundles are kept; `everything` bundles plain JavaScript too. */
export function createBundler(directory: string, everything: boolean): Bundler {
  const bundles = new Map<string, Promise<Bundle>>()
  const stored = new Set<string>()

  /** Written under a name of its content and then renamed: a process that starts meanwhile sees all of it or none. */
  const store = async (label: string, contents: Uint8Array): Promise<string> => {
    await mkdir(directory, { recursive: true })
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 16)
    const path = join(directory, `${label}-${hash}.mjs`)
    await writeFile(`${path}.part`, contents)
    await rename(`${path}.part`, path)
    stored.add(basename(path))
    return path
  }

  return {
    handler: async (functionName, file) => {
      if (!everything && !typescript.has(extname(file))) return undefined
      let bundle = bundles.get(file)
      if (bundle === undefined) {
        bundle = bundleHandler(functionName, file, store)
        bundles.set(file, bundle)
      }
      return bundle
    },
    bootstrap: async () => {
      const written = import.meta.url.endsWith('.ts') ? './bootstrap/main.ts' : './bootstrap/main.js'
      // A process starts twice as fast from one JavaScript file as when it must strip types first.
      const { contents } = await build({
        entryPoints: [createRequire(import.meta.url).resolve(written)],
        outfile: 'bootstrap.mjs',
      })
      return store('bootstrap', contents)
    },
    forget: () => bundles.clear(),
    discardOthers: async () => {
      const others = (await readdir(directory)).filter((name) => !stored.has(name) && /\.mjs(\.part)?$/.test(name))
      await Promise.all(others.map((name) => rm(join(directory, name), { force: true })))
    },
  }
}

async function bundleHandler(
  functionName: string,
  file: string,
  store: (label: string, contents: Uint8Array) => Promise<string>,
): Promise<Bundle> {
  const directory = dirname(file)
  try {
    const { contents, inputs } = await build({
      entryPoints: [file],
      // Nothing is written there: the place makes the paths in the source map relative to the handler's own directory.
      outfile: `${file}.mjs`,
      absWorkingDir: directory,
      packages: 'external',
      sourcemap: 'inline',
      plugins: [ownLocations(file)],
      ...commonJsNames,
    })
    return {
      bundle: await store(basename(file, extname(file)), contents),
      bundledFrom: [...new Set(inputs.map((input) => dirname(resolve(directory, input))))],
    }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw new DeclarationError(
      `The handler of function "${functionName}" cannot be compiled: ${describe(error, directory)}.`,
      'The function cannot be served.',
      'Correct the source.',
    )
  }
}

async function build(options: BuildOptions): Promise<{ readonly contents: Uint8Array; readonly inputs: string[] }> {
  const esbuild = await import('esbuild')
  const { outputFiles, metafile } = await esbuild.build({
    ...options,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target,
    logLevel: 'silent',
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error(`esbuild made no output for ${String(options.entryPoints)}`)
  return { contents: output.contents, inputs: Object.keys(metafile.inputs) }
}

const target = `node${process.versions.node}`

/** Sources written for CommonJS use these names; in an ES module nobody else defines them. */
const commonJsNames = {
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  banner: {
    js: "import { createRequire as perdureCreateRequire } from 'node:module'; const require = perdureCreateRequire(import.meta.url);",
  },
} satisfies BuildOptions

/** The bundle stands for the handler's file; the other sources in it still mean their own place when they say so. */
function ownLocations(handlerFile: string): Plugin {
  const mentions = /\bimport\.meta\b|\b__(?:dir|file)name\b/
  return {
    name: 'own-locations',
    setup: (bundling) => {
      bundling.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
        if (path === handlerFile) return undefined
        const source = await readFile(path, 'utf8')
        if (!mentions.test(source)) return undefined
        const [file, directory] = [JSON.stringify(path), JSON.stringify(dirname(path))]
        const { code } = await bundling.esbuild.transform(source, {
          loader: extname(path).replace(/^\.[cm]?/, '') as Loader,
          sourcefile: path,
          sourcemap: 'inline',
          target,
          define: {
            'import.meta.url': JSON.stringify(pathToFileURL(path).href),
            'import.meta.filename': file,
            'import.meta.dirname': directory,
            __filename: file,
            __dirname: directory,
          },
        })
        return { contents: code, loader: 'js' }
      })
    },
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

/** The first mistake with its place, as terminals and editors link it. */
function describe(failure: BuildFailure, directory: string): string {
  const [first] = failure.errors
  if (first === undefined) return failure.message
  const { location, text, detail } = first
  // A mistake found by our own plugin carries the failure of its own in `detail`.
  if (isBuildFailure(detail)) return describe(detail, directory)
  if (location === null) return text
  return `${resolve(directory, location.file)}:${location.line}:${location.column + 1}: ${text}`
}

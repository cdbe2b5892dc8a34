/** `perdure dev <paths>`: functions without a configuration, each named after its file. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import { moduleExtensions } from './catalog.ts'
import type { FunctionDeclaration } from './declaration.ts'
import { DeclarationError } from './declaration-error.ts'

/**
 * A file is a function. A folder gives each module directly inside it that exports a `handler`, tests, type
 * declarations and configuration aside. Rejects with a DeclarationError.
 */
export async function declarationsFromPaths(
  paths: readonly string[],
  directory: string,
): Promise<readonly FunctionDeclaration[]> {
  const files = (await Promise.all(paths.map((path) => filesOf(resolve(directory, path))))).flat()
  return [...new Set(files)].map((file) => ({ name: basename(file, extname(file)), file }))
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    throw new DeclarationError(
      `There is no file or folder ${path}.`,
      'There is nothing to serve.',
      'Correct the path; it is relative to the working directory.',
    )
  }
  if (!found.isDirectory()) return [path]
  const modules = readdirSync(path).sort().filter(mayBeHandler)
  const handlers = await Promise.all(
    modules.map(async (name) => ((await exportsHandler(join(path, name))) ? [join(path, name)] : [])),
  )
  const files = handlers.flat()
  if (files.length > 0) return files
  throw new DeclarationError(
    `The folder ${path} has no module that exports a "handler".`,
    'There is nothing to serve.',
    `Name the files, or export a handler from a module (${[...moduleExtensions].join(', ')}) directly in the folder.`,
  )
}

function mayBeHandler(name: string): boolean {
  if (name.startsWith('.') || !moduleExtensions.has(extname(name))) return false
  return !/\.(d|test|spec|config)\.[cm]?[jt]s$/.test(name)
}

/** Read from the source, because a module must not run just to be looked at. */
async function exportsHandler(file: string): Promise<boolean> {
  if (!/\bhandler\b/.test(readFileSync(file, 'utf8'))) return false
  const { build } = await import('esbuild')
  try {
    const { metafile } = await build({
      entryPoints: [file],
      bundle: false,
      write: false,
      metafile: true,
      outdir: '.',
      logLevel: 'silent',
    })
    const exported = Object.values(metafile.outputs).flatMap((output) => output.exports)
    // A CommonJS module has no exports that can be read; one that mentions a handler is taken to export it.
    return exported.length === 0 || exported.includes('handler')
  } catch {
    // It has a syntax error: whoever loads it tells where.
    return true
  }
}

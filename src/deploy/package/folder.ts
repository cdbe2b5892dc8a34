/**
 * The files of a folder that become a package. Links are followed, because linked packages (workspaces, pnpm) are as
 * much of a program as its own files; but not out of the project, for what lies there was not meant to be shipped.
 */
import { existsSync } from 'node:fs'
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { TemplateProblem } from '../problem.ts'
import type { Place } from '../template/node.ts'
import type { ZipFile } from './zip.ts'

export const PACKAGE_LIMITS = {
  /** Of the real service, unzipped. */
  bytes: 262_144_000,
  files: 65_535,
} as const

/** What builds and tools leave beside the code, and no function reads. */
const LEFT_OUT = new Set(['.git', '.aws-sam', '.perdure', 'cdk.out', '__pycache__', '.DS_Store', '.venv'])

interface Walk {
  readonly root: string
  /** No link leads out of it. */
  readonly project: string
  readonly place: Place | undefined
  readonly files: ZipFile[]
  bytes: number
  /** Files and folders that were looked at: links can make many ways to one folder. */
  visited: number
}

/** In no particular order. Throws a `TemplateProblem` when it is too large, or a link leads out of the project. */
export async function filesOf(root: string, place: Place | undefined): Promise<readonly ZipFile[]> {
  const real = await realpath(root)
  const walk: Walk = { root: real, project: projectOf(real), place, files: [], bytes: 0, visited: 0 }
  await visit(real, '', [real], walk)
  return walk.files
}

/** The repository that a folder is in, else the folder itself. */
function projectOf(folder: string): string {
  for (let each = folder; ; each = dirname(each)) {
    if (existsSync(join(each, '.git'))) return each
    if (dirname(each) === each) return folder
  }
}

/** `above`: the real folders on the way here, so that a circle of links ends. */
async function visit(folder: string, prefix: string, above: readonly string[], walk: Walk): Promise<void> {
  for (const name of (await readdir(folder)).toSorted()) {
    if (LEFT_OUT.has(name)) continue
    walk.visited += 1
    requireRoom(walk)
    const file = join(folder, name)
    const path = prefix === '' ? name : `${prefix}/${name}`
    const target = (await lstat(file)).isSymbolicLink() ? await targetOf(file, path, walk) : file
    const found = await stat(target)
    if (found.isDirectory()) {
      if (!above.includes(target)) await visit(target, path, [...above, target], walk)
    } else if (found.isFile()) {
      walk.bytes += found.size
      requireRoom(walk)
      walk.files.push({ path, content: await readFile(target), executable: (found.mode & 0o111) !== 0 })
    }
  }
}

async function targetOf(file: string, path: string, { project, place }: Walk): Promise<string> {
  let target: string
  try {
    target = await realpath(file)
  } catch {
    throw new TemplateProblem(
      place,
      `the link ${path} in the folder leads nowhere`,
      'remove it, or make what it leads to',
    )
  }
  if (target === project || target.startsWith(project + sep)) return target
  throw new TemplateProblem(
    place,
    `the link ${path} leads out of the project, to ${target}`,
    'put a copy in its place; only links within the project are followed',
  )
}

function requireRoom({ root, place, visited, bytes }: Walk): void {
  if (visited <= PACKAGE_LIMITS.files && bytes <= PACKAGE_LIMITS.bytes) return
  const what =
    bytes > PACKAGE_LIMITS.bytes
      ? `more than ${PACKAGE_LIMITS.bytes} bytes`
      : `more than ${PACKAGE_LIMITS.files} files and folders`
  throw new TemplateProblem(
    place,
    `the folder ${relative(process.cwd(), root) || root} has ${what}, which no function may`,
    'name the folder of the code alone, or bundle it: Metadata with BuildMethod: esbuild',
  )
}

/**
 * A cloud assembly of the CDK (`cdk.out`): the templates of its stacks, and where the packages lie that they name as
 * objects in S3. Assemblies of stages lie in it as folders of their own.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { TemplateProblem } from './problem.ts'

export interface AssemblyStack {
  readonly name: string
  /** Absolute. */
  readonly templateFile: string
  readonly folder: string
  /** Absolute paths of what was packed, by the key that templates name it with. */
  readonly assets: ReadonlyMap<string, string>
}

type Json = Readonly<Record<string, unknown>>

/** How many assemblies may lie in each other: a link could make a circle of them. */
const MAX_DEPTH = 10

/** In the order of the manifest, those of stages where these are. Throws a `TemplateProblem`. */
export function readAssembly(folder: string, depth = 0): readonly AssemblyStack[] {
  const file = join(folder, 'manifest.json')
  const { artifacts } = readJson(file)
  if (!isObject(artifacts) || depth > MAX_DEPTH) {
    throw new TemplateProblem(undefined, `${file} is no manifest of a cloud assembly`, 'make it anew with "cdk synth"')
  }
  const assets = assetsOf(folder, artifacts)
  return Object.entries(artifacts).flatMap(([id, artifact]): readonly AssemblyStack[] => {
    const { type, properties, displayName } = isObject(artifact) ? artifact : {}
    const of = isObject(properties) ? properties : {}
    if (type === 'cdk:cloud-assembly' && typeof of['directoryName'] === 'string') {
      return readAssembly(inside(folder, of['directoryName'], file), depth + 1)
    }
    if (type !== 'aws:cloudformation:stack' || typeof of['templateFile'] !== 'string') return []
    const name = of['stackName'] ?? displayName
    const templateFile = inside(folder, of['templateFile'], file)
    return [{ name: typeof name === 'string' ? name.replaceAll('/', '-') : id, templateFile, folder, assets }]
  })
}

/** `*.assets.json`: each file with where it lies and under which keys it would be uploaded. */
function assetsOf(folder: string, artifacts: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const artifact of Object.values(artifacts)) {
    const { type, properties } = isObject(artifact) ? artifact : {}
    const name = isObject(properties) ? properties['file'] : undefined
    if (type !== 'cdk:asset-manifest' || typeof name !== 'string') continue
    const file = inside(folder, name, 'manifest.json')
    const { files } = readJson(file)
    for (const asset of isObject(files) ? Object.values(files) : []) {
      const { source, destinations } = isObject(asset) ? asset : {}
      const path = isObject(source) ? source['path'] : undefined
      if (typeof path !== 'string') continue
      for (const destination of isObject(destinations) ? Object.values(destinations) : []) {
        const key = isObject(destination) ? destination['objectKey'] : undefined
        // The path may lead out: assets that were not copied are named where they are.
        if (typeof key === 'string') found.set(key, resolve(folder, path))
      }
    }
  }
  return found
}

function inside(folder: string, name: string, file: string): string {
  const path = resolve(folder, name)
  if (path.startsWith(folder + sep) && existsSync(path)) return path
  throw new TemplateProblem(
    undefined,
    `${file} names ${name}, which is not in the assembly`,
    'make it anew with "cdk synth"',
  )
}

function readJson(file: string): Json {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TemplateProblem(undefined, `${file} cannot be read: ${String(error)}`, 'make it anew with "cdk synth"')
  }
  return isObject(json) ? json : {}
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

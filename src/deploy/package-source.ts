/** Where the package of a function of a template comes from, and how it is to be built. */
import { resolve } from 'node:path'
import { BOOLEAN, list, structure, text } from '../protocol/constraints.ts'
import type { Build, DesiredLayer, EsbuildOptions, PackageSource, PathSource } from './desired.ts'
import type { FunctionType } from './function-properties.ts'
import type { FunctionSite } from './function-resources.ts'
import { TemplateProblem } from './problem.ts'
import { type Field, type Place, type TemplateNode, textNode } from './template/node.ts'
import type { Resource } from './template/template.ts'
import { readValue } from './values.ts'

interface FunctionCode {
  readonly resource: Resource
  readonly type: FunctionType
  /** Evaluated. */
  readonly properties: ReadonlyMap<string, Field>
  readonly runtime: string | undefined
  readonly site: FunctionSite
}

const ANY_TEXT = text(1, 4_194_304)

/** Throws a `TemplateProblem`. */
export function packageSource(code: FunctionCode): PackageSource {
  const { resource, type, properties, site } = code
  if (type === 'AWS::Serverless::Function') {
    const inline = properties.get('InlineCode')
    if (inline !== undefined) return { kind: 'inline', text: readValue(ANY_TEXT, inline.value, 'InlineCode') }
    const uri = properties.get('CodeUri')
    // As SAM has it, the folder of the template is the code of whoever names none.
    return fromPath(uri?.value ?? textNode(resource.place, '.'), 'CodeUri', code)
  }
  const given = properties.get('Code')?.value
  if (given === undefined) {
    throw new TemplateProblem(
      resource.place,
      `the function ${resource.logicalId} has no Code`,
      'give it Code: the folder of its code, or ZipFile with the code itself',
    )
  }
  if (given.kind !== 'fields') return fromPath(given, 'Code', code)
  const member = (name: string): TemplateNode | undefined => given.fields.get(name)?.value
  const zipFile = member('ZipFile')
  if (zipFile !== undefined) return { kind: 'inline', text: readValue(ANY_TEXT, zipFile, 'Code.ZipFile') }
  if (member('ImageUri') !== undefined) {
    throw new TemplateProblem(given.place, 'container images are not run by Perdure', 'deploy a zip package')
  }
  const key = member('S3Key')
  const asset = key?.kind === 'scalar' ? site.assetOf(key.text) : undefined
  if (asset !== undefined) return { kind: 'path', path: asset, place: given.place, build: { method: 'built' } }
  throw objectInStorage(given.place, 'Code')
}

/** Built templates have paths, those that were packaged have objects in S3. */
const objectInStorage = (place: Place, name: string): TemplateProblem =>
  new TemplateProblem(
    place,
    `${name} is an object in S3, which is not read here`,
    'deploy the template from before "sam package" or "aws cloudformation package", in which it is a path',
  )

/** Of a layer: what is in it, and in which folder of it that has to be. */
export function layerSource(
  resource: Resource,
  given: TemplateNode,
  name: 'ContentUri' | 'Content',
  site: FunctionSite,
): Pick<DesiredLayer, 'source' | 'prefix'> {
  const key = given.kind === 'fields' ? given.fields.get('S3Key')?.value : undefined
  const asset = key?.kind === 'scalar' ? site.assetOf(key.text) : undefined
  if (asset !== undefined) {
    const build = { method: 'built' } as const
    return { source: { kind: 'path', path: asset, place: given.place, build }, prefix: undefined }
  }
  const method = resource.metadata?.fields.get('BuildMethod')?.value
  const built = method?.kind === 'scalar' ? method.text : ''
  const prefix = isBuilt(site.folder) ? undefined : /^(python|nodejs)/.exec(built)?.[1]
  return { source: fromPath(given, name, { resource, site }), prefix }
}

function fromPath(
  node: TemplateNode,
  name: string,
  { resource, site }: Pick<FunctionCode, 'resource' | 'site'>,
): PathSource {
  if (node.kind === 'fields') throw objectInStorage(node.place, name)
  const path = readValue(ANY_TEXT, node, name)
  if (/^s3:\/\//i.test(path)) throw objectInStorage(node.place, name)
  return { kind: 'path', path: resolve(site.folder, path), place: node.place, build: buildOf(resource, site) }
}

// ------------------------------------------------------------------------------------------------------------ builds

const TEXTS = list(text(0, 4096), 0, 1000)

/** BuildProperties that esbuild is given. */
const ESBUILD_PROPERTIES = structure({
  EntryPoints: { constraint: TEXTS },
  External: { constraint: TEXTS },
  MainFields: { constraint: TEXTS },
  Loader: { constraint: TEXTS },
  OutExtension: { constraint: TEXTS },
  Format: { constraint: text(1, 10) },
  Target: { constraint: text(1, 100) },
  Minify: { constraint: BOOLEAN },
  Sourcemap: { constraint: BOOLEAN },
  SourcesContent: { constraint: BOOLEAN },
  KeepNames: { constraint: BOOLEAN },
  TreeShaking: { constraint: BOOLEAN },
})

/** Methods that stand for what is done for the runtime in any case. */
const BY_RUNTIME = /^(nodejs|python|java)/

/** What "sam build" made is as it is to be, though its template still says how it was made. */
const isBuilt = (folder: string): boolean => /[/\\]\.aws-sam[/\\]build$/.test(folder)

function buildOf({ metadata }: Resource, { template, folder }: FunctionSite): Build {
  if (isBuilt(folder)) return { method: 'built' }
  const method = metadata?.fields.get('BuildMethod')?.value
  if (metadata === undefined || method === undefined) return { method: 'by-runtime' }
  const name = readValue(text(1, 100), template.evaluate(method) ?? method, 'BuildMethod')
  const { place } = method
  switch (name) {
    case 'esbuild':
      return {
        method: 'esbuild',
        options: esbuildOptions(metadata.fields.get('BuildProperties')?.value, template),
        place,
      }
    case 'makefile':
      return { method: 'makefile', place }
    default:
      return BY_RUNTIME.test(name) ? { method: 'by-runtime' } : { method: 'other', name, place }
  }
}

function esbuildOptions(node: TemplateNode | undefined, template: FunctionSite['template']): EsbuildOptions {
  const value = node && template.evaluate(node)
  if (value === undefined) return {}
  const read = readValue(ESBUILD_PROPERTIES, asLists(value), 'BuildProperties')
  const names = Object.keys(ESBUILD_PROPERTIES.members) as (keyof EsbuildOptions)[]
  const entries = names.flatMap((name) => {
    const member = (read as Readonly<Record<string, unknown>>)[name.charAt(0).toLowerCase() + name.slice(1)]
    return member === undefined ? [] : [[name, member] as const]
  })
  return Object.fromEntries(entries) as EsbuildOptions
}

/** SAM also takes one text where a list belongs, `a,b`, and JSON's booleans as text. */
function asLists(value: TemplateNode): TemplateNode {
  if (value.kind !== 'fields') return value
  const fields = new Map(
    [...value.fields].map(([name, field]) => {
      const { constraint } = ESBUILD_PROPERTIES.members[name as keyof EsbuildOptions] ?? {}
      if (constraint?.kind !== 'list' || field.value.kind !== 'scalar') return [name, field] as const
      const { place } = field.value
      const items = field.value.text.split(',').map((item) => textNode(place, item.trim()))
      return [name, { place: field.place, value: { kind: 'list', place, items } as const }] as const
    }),
  )
  return { ...value, fields }
}

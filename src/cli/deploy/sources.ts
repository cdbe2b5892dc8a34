/** What is to be deployed: the file or folder that was named, or what lies in the working directory. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { PerdureClient } from '../../client/client.ts'
import type { DesiredStack, SamConfig } from '../../deploy/index.ts'
import { configNames } from '../config-file.ts'
import { CliFailure, usageFailure } from '../failure.ts'
import { declaredFunctions } from './declared-functions.ts'
import { deploying } from './modules.ts'

export interface SourceOptions {
  readonly operand: string | undefined
  readonly cwd: string
  readonly stackName: string | undefined
  readonly parameters: ReadonlyMap<string, string>
  readonly standIns: ReadonlyMap<string, string>
}

/** The server's own names: ARNs are made of them. */
type Place = Awaited<ReturnType<PerdureClient['version']>>['place']

const TEMPLATES = ['template.yaml', 'template.yml', 'template.json']
const SAM_CONFIGS = ['samconfig.toml', 'samconfig.yaml', 'samconfig.yml']
const ASSEMBLY = 'cdk.out'

/** The stacks to deploy, in order. */
export async function desiredStacks(options: SourceOptions, place: Place): Promise<readonly DesiredStack[]> {
  const path = await found(options)
  if (statSync(path).isDirectory()) return await ofAssembly(path, options, place)
  if (/^perdure\.config\.[cm]?[jt]s$|^perdure\.config\.(ya?ml|json)$/.test(basename(path))) {
    const { declaredStack } = await deploying()
    if (options.parameters.size > 0) {
      throw usageFailure('a perdure.config has no parameters', 'leave --parameter out, or read process.env in the file')
    }
    return [declaredStack(nameOf(path, options, undefined), place, await declaredFunctions(path))]
  }
  return [await ofTemplate(path, options, place)]
}

async function found({ operand, cwd }: SourceOptions): Promise<string> {
  if (operand !== undefined) {
    const path = resolve(cwd, operand)
    if (!existsSync(path)) {
      throw new CliFailure({
        cause: `${path} does not exist`,
        consequence: 'nothing was deployed',
        fix: 'check the path',
      })
    }
    return statSync(path).isDirectory() && !existsSync(join(path, 'manifest.json')) ? await inFolder(path, cwd) : path
  }
  return await inFolder(cwd, cwd)
}

async function inFolder(folder: string, cwd: string): Promise<string> {
  const named = (await samConfig(folder, cwd))?.template
  const candidates = [...(named === undefined ? [] : [named]), ...TEMPLATES, ASSEMBLY, ...configNames].map((name) =>
    resolve(folder, name),
  )
  const path = candidates.find((each) => existsSync(each))
  if (path !== undefined) return path
  throw new CliFailure({
    cause: `there is no template.yaml, cdk.out or perdure.config.* in ${folder}`,
    consequence: 'nothing was deployed',
    fix: 'name what is to be deployed: perdure deploy <template>',
  })
}

async function ofTemplate(path: string, options: SourceOptions, place: Place): Promise<DesiredStack> {
  const { readStack, worldOf } = await deploying()
  const { cwd, operand } = options
  const beside = await samConfig(projectOf(path), cwd)
  // The one that named the template, which may lie elsewhere.
  const config = beside ?? (operand === undefined ? await samConfig(cwd, cwd) : undefined)
  return readStack({
    text: readFileSync(path, 'utf8'),
    file: shown(path, cwd),
    folder: dirname(path),
    world: worldOf(place, nameOf(path, options, config)),
    parameters: new Map([...(config?.parameters ?? []), ...options.parameters]),
    standIns: options.standIns,
  })
}

async function samConfig(folder: string, cwd: string): Promise<SamConfig | undefined> {
  const path = SAM_CONFIGS.map((name) => join(folder, name)).find((each) => existsSync(each))
  if (path === undefined) return undefined
  const { readSamConfig } = await deploying()
  return readSamConfig(readFileSync(path, 'utf8'), shown(path, cwd))
}

async function ofAssembly(path: string, options: SourceOptions, place: Place): Promise<readonly DesiredStack[]> {
  const { readAssembly, readStack, worldOf } = await deploying()
  const all = readAssembly(path)
  const stacks = all.filter(({ name }) => options.stackName === undefined || name === options.stackName)
  if (stacks.length === 0) {
    const names = all.map(({ name }) => name).join(', ')
    throw new CliFailure({
      cause: options.stackName === undefined ? `${path} has no stacks` : `${path} has no stack ${options.stackName}`,
      consequence: 'nothing was deployed',
      fix: names === '' ? 'run "cdk synth"' : `it has ${names}`,
    })
  }
  return stacks.map(({ name, templateFile, folder, assets }) =>
    readStack({
      text: readFileSync(templateFile, 'utf8'),
      file: shown(templateFile, options.cwd),
      folder,
      world: worldOf(place, name),
      parameters: options.parameters,
      standIns: options.standIns,
      assetOf: (key) => assets.get(key),
    }),
  )
}

const shown = (path: string, cwd: string): string => {
  const short = relative(cwd, path)
  return short.startsWith('..') ? path : short
}

/** The folder of a project: a built template lies two folders further in. */
const projectOf = (path: string): string => {
  const folder = dirname(path)
  return BUILT.test(folder) ? resolve(folder, '../..') : folder
}

const BUILT = /[/\\]\.aws-sam[/\\]build$/

const MAX_STACK_NAME = 128

/** `--stack-name`, else that of samconfig, else that of the folder. */
function nameOf(path: string, { stackName }: SourceOptions, config: SamConfig | undefined): string {
  const given = stackName ?? config?.stackName
  if (given === undefined) {
    const letters = basename(projectOf(path))
      .replaceAll(/[^a-zA-Z0-9]+/g, '-')
      .replaceAll(/^[^a-zA-Z]+|-+$/g, '')
    return letters.slice(0, MAX_STACK_NAME) || 'perdure'
  }
  if (/^[a-zA-Z][a-zA-Z0-9-]*$/.test(given) && given.length <= MAX_STACK_NAME) return given
  throw usageFailure(
    `"${given}" is no name of a stack`,
    `begin with a letter, and use letters, digits and -, at most ${MAX_STACK_NAME}`,
  )
}

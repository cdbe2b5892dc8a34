/** Cold starts: the first invocation of a process, by language, beside the bare start of the program that runs it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipOf } from '../test/management/zip-of.ts'
import { startPerdureProcess } from '../test/start-perdure.ts'
import { Connection } from './load.ts'
import { median } from './server-under-load.ts'

const STARTS = 15

export interface ColdStart {
  readonly name: string
  /** Of the first invocation of a process, and of the one after it. */
  readonly firstMs: number
  readonly nextMs: number
  /** The whole life of the bare program, doing nothing. */
  readonly bareMs: number
  /** The first invocation beside the bare program that was started just after it: the median of all pairs. */
  readonly timesBare: number
}

export interface ColdStarts {
  readonly rows: readonly ColdStart[]
  /** What is not on this machine, and what therefore is not in the rows. */
  readonly leftOut: readonly string[]
}

interface Deployed {
  readonly name: string
  readonly runtime: string
  readonly handler: string
  readonly files: Readonly<Record<string, Buffer>>
  /** The program that runs it, with arguments that make it do nothing. */
  readonly bare: readonly [string, ...(readonly string[])]
}

/** Something to start again and again. */
interface Starter {
  readonly name: string
  readonly bare: Deployed['bare']
  /** Makes sure that no process is there, and calls it. */
  first(round: number): Promise<number>
  next(round: number): Promise<number>
}

interface Host {
  readonly starters: readonly Starter[]
  stop(): Promise<void>
}

/** Everything in turn in each round, so that what else the machine does meets all of it. */
export async function coldStarts(): Promise<ColdStarts> {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-cold-'))
  const leftOut: string[] = []
  const deployed = languages(folder, leftOut)
  const hosts = [await declared(folder), await deployedOn(join(folder, 'plain'), deployed, 'none')]
  const [node] = deployed
  if (node !== undefined && runs('bwrap', '--version')) {
    const isolated = [{ ...node, name: `${node.name}, isolated` }]
    hosts.push(await deployedOn(join(folder, 'isolated'), isolated, 'bubblewrap'))
  } else leftOut.push('isolation: there is no bwrap')
  const starters = hosts.flatMap((host) => host.starters)
  const rounds = new Map(starters.map((starter) => [starter, [] as { first: number; next: number; bare: number }[]]))
  for (let round = 0; round < STARTS; round += 1) {
    for (const [starter, all] of rounds) {
      const first = await starter.first(round)
      all.push({ first, next: await starter.next(round), bare: bareStart(starter.bare) })
    }
  }
  for (const host of hosts) await host.stop()
  rmSync(folder, { recursive: true, force: true })
  const rows = [...rounds].map(([{ name }, all]) => ({
    name,
    firstMs: median(all.map(({ first }) => first)),
    nextMs: median(all.map(({ next }) => next)),
    bareMs: median(all.map(({ bare }) => bare)),
    timesBare: median(all.map(({ first, bare }) => first / bare)),
  }))
  return { rows, leftOut }
}

/** Every function is another one of the same file: each first call starts a process. */
async function declared(folder: string): Promise<Host> {
  const nameOf = (round: number): string => `cold-${round}`
  const file = join(import.meta.dirname, 'invoke-functions.mjs')
  const server = await startPerdureProcess({
    data: join(folder, 'declared'),
    functions: Array.from({ length: STARTS }, (_, round) => ({ name: nameOf(round), file, durable: false })),
    log: { level: 'error' },
  })
  const call = (round: number): Promise<number> => invoked(server.endpoint, nameOf(round))
  return {
    starters: [{ name: 'Node, declared', bare: [process.execPath, '-e', ''], first: call, next: call }],
    stop: () => server.stop(),
  }
}

/** A changed configuration ends the process, and the next call starts another one; the package stays unpacked. */
async function deployedOn(
  data: string,
  functions: readonly Deployed[],
  isolation: 'none' | 'bubblewrap',
): Promise<Host> {
  const server = await startPerdureProcess({ data, functions: [], isolation, log: { level: 'error' } })
  const starters: Starter[] = []
  for (const [index, { name, runtime, handler, files, bare }] of functions.entries()) {
    const FunctionName = `f${index}`
    const zip = zipOf(...Object.entries(files).map(([path, content]) => ({ name: path, content, mode: 0o100755 })))
    await manage(server.endpoint, 'POST', '/2015-03-31/functions', {
      FunctionName,
      Role: 'arn:aws:iam::000000000000:role/bench',
      Runtime: runtime,
      Handler: handler,
      MemorySize: 512,
      Timeout: 60,
      Code: { ZipFile: zip.toString('base64') },
    })
    await invoked(server.endpoint, FunctionName)
    const path = `/2015-03-31/functions/${FunctionName}/configuration`
    starters.push({
      name,
      bare,
      first: async (round) => {
        await manage(server.endpoint, 'PUT', path, { Description: `round ${round}` })
        return await invoked(server.endpoint, FunctionName)
      },
      next: () => invoked(server.endpoint, FunctionName),
    })
  }
  return {
    starters,
    stop: () => server.stop(),
  }
}

// ------------------------------------------------------------------------------------------------ one per language

function languages(folder: string, leftOut: string[]): readonly Deployed[] {
  const source = Buffer.from('export const handler = async (event) => event\n')
  const found: (Deployed | undefined)[] = [
    {
      name: 'Node, deployed',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      files: { 'index.mjs': source },
      bare: [process.execPath, '-e', ''],
    },
  ]
  found.push(python(leftOut), executable(folder, leftOut), java(folder, leftOut))
  return found.filter((each) => each !== undefined)
}

function python(leftOut: string[]): Deployed | undefined {
  try {
    // `python3` may be a shim that looks for the interpreter at every start; the server finds it once.
    const question = ['-c', 'import sys; print(sys.executable)']
    const interpreter = execFileSync('python3', question, { encoding: 'utf8' }).trim()
    const app = Buffer.from('def handler(event, context):\n    return event\n')
    const bare = [interpreter, '-c', ''] as const
    return { name: 'Python', runtime: 'python3.13', handler: 'app.handler', files: { 'app.py': app }, bare }
  } catch {
    leftOut.push('Python: there is no python3')
    return undefined
  }
}

function executable(folder: string, leftOut: string[]): Deployed | undefined {
  const program = join(folder, 'bootstrap')
  if (!runs('cc', '-O2', '-o', program, join(import.meta.dirname, 'invoke-bootstrap.c'))) {
    leftOut.push('an executable: there is no C compiler (cc)')
    return undefined
  }
  chmodSync(program, 0o755)
  const files = { bootstrap: readFileSync(program) }
  return { name: 'executable (C)', runtime: 'provided.al2023', handler: 'any', files, bare: ['true'] }
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>bench</groupId><artifactId>bench</artifactId><version>1</version><dependencies><dependency>
<groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-runtime-interface-client</artifactId><version>2.6.0</version>
</dependency></dependencies></project>
`
const app = `public class App { public String echo(Object event) { return "well"; } }
`

function java(folder: string, leftOut: string[]): Deployed | undefined {
  const missing = ['java', 'javac', 'mvn'].filter((program) => !runs(program, '-version'))
  if (missing.length > 0) {
    leftOut.push(`Java: there is no ${missing.join(', no ')}`)
    return undefined
  }
  const root = join(folder, 'java')
  mkdirSync(root)
  writeFileSync(join(root, 'pom.xml'), pom)
  writeFileSync(join(root, 'App.java'), app)
  const built =
    runs('mvn', '-q', '-B', '-f', join(root, 'pom.xml'), 'dependency:copy-dependencies', '-DoutputDirectory=lib') &&
    runs('javac', '--release', '8', '-d', root, join(root, 'App.java'))
  if (!built) {
    leftOut.push('Java: Maven could not fetch the runtime interface client')
    return undefined
  }
  const names = ['App.class', ...readdirSync(join(root, 'lib')).map((name) => `lib/${name}`)]
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name))]))
  return { name: 'Java', runtime: 'java8.al2', handler: 'App::echo', files, bare: ['java', '-version'] }
}

function runs(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function bareStart([program, ...args]: Deployed['bare']): number {
  const begun = performance.now()
  spawnSync(program, args, { stdio: 'ignore' })
  return performance.now() - begun
}

async function manage(endpoint: string, method: string, path: string, body: object): Promise<void> {
  const response = await fetch(`${endpoint}${path}`, { method, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}

/** Over a connection of its own: what else is measured may take longer than a server keeps an idle one. */
async function invoked(endpoint: string, name: string): Promise<number> {
  const connection = await Connection.open(Number(new URL(endpoint).port))
  const begun = performance.now()
  const { status, body } = await connection.post(`/2015-03-31/functions/${name}/invocations`, '{"n":1}')
  const tookMs = performance.now() - begun
  connection.close()
  if (status !== 200 || body.includes('errorType')) throw new Error(`${name}: ${status} ${body}`)
  return tookMs
}

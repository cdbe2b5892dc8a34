/**
 * Function processes in namespaces of their own, made by bubblewrap (`bwrap`). A process sees the programs and libraries
 * of the system, its code and runtime, all to be read only, and a `/tmp` of its own; no home, no data folder, no process
 * but its own. It shares the network, through which it speaks to its server (docs/guides/isolation.md).
 *
 *     server → bwrap (leads the group) → bwrap (number 1 of the namespace) → the function's process
 *
 * When any of them is killed, or the server is, the kernel ends all that are in the namespace, also those that left the
 * group.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { constants as system } from 'node:os'
import { join } from 'node:path'
import { DeclarationError } from '../declaration-error.ts'
import type { ProcessEnd } from '../failure-texts.ts'
import { type Launch, LaunchRefusal, type Mount } from '../launch.ts'
import { type Beginning, type Isolation, type IsolationKind, noIsolation } from './isolation.ts'

export interface IsolationOptions {
  readonly kind: IsolationKind
  /** Hidden from processes, also where a folder that they see holds it. */
  readonly hidden: string
  /** A folder for the files that stand for those of the machine. */
  readonly directory: string
  /** For tests: another program than the `bwrap` of the PATH. */
  readonly program?: string
}

/** Rejects with a DeclarationError when isolation is asked for and cannot be had. */
export async function openIsolation(options: IsolationOptions): Promise<Isolation> {
  const { kind, program = 'bwrap' } = options
  if (kind === 'none') return noIsolation
  const abilities = process.platform === 'linux' ? await run(program, ['--help']) : { problem: 'it needs Linux' }
  if ('problem' in abilities) {
    if (kind === 'auto') return noIsolation
    throw refusal(`bubblewrap (${program}) cannot be started: ${abilities.problem}`, install)
  }
  const isolation = new Bubblewrap(program, abilities.answer, options.hidden, await standIns(options.directory))
  const tried = await run(program, [...isolation.trial, '/bin/sh', '-c', ':'])
  if (!('problem' in tried)) return isolation
  if (kind === 'auto') return noIsolation
  throw refusal(`bubblewrap (${program}) may not make namespaces here: ${tried.problem}`, permit)
}

const refusal = (cause: string, fix: string): DeclarationError =>
  new DeclarationError(`${cause}.`, 'Functions would run without the isolation that is asked for.', fix)

const install =
  'Install it (apt-get install bubblewrap, dnf install bubblewrap, apk add bubblewrap), or set isolation to none.'
const permit =
  'Permit user namespaces, which containers, systemd and some distributions forbid (docs/guides/isolation.md says how), or set isolation to none.'

type Run = { readonly answer: string } | { readonly problem: string }

function run(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000, env: {} }, (error, output, errors) => {
      if (error === null) resolve({ answer: `${output}${errors}` })
      else if (error.code === 'ENOENT') resolve({ problem: 'there is no such program' })
      else resolve({ problem: errors.trim() || error.message })
    })
  })
}

/** The user of a process, which every system library asks for; on the machine it is the user of the server. */
const user = { id: '993', group: '990', name: 'sandbox' }

async function standIns(directory: string): Promise<readonly Mount[]> {
  await mkdir(directory, { recursive: true })
  const files = {
    passwd: `${user.name}:x:${user.id}:${user.group}::/tmp:/bin/sh\n`,
    group: `${user.name}:x:${user.group}:\n`,
  }
  return await Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const from = join(directory, name)
      await writeFile(from, text)
      return { from, at: `/etc/${name}` }
    }),
  )
}

const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store']
/** What libraries read there; nothing that only administrators may read. */
const systemSettings = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'gai.conf',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'pki/ca-trust',
  'pki/java',
  'pki/tls/certs',
  'protocols',
  'resolv.conf',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
]
const path = '/usr/local/bin:/usr/bin:/bin'
/** Layers lie there. */
const opt = '/opt'
const bytesPerMb = 1_048_576

class Bubblewrap implements Isolation {
  readonly hides = true
  readonly inherited = { PATH: path, HOME: '/tmp', TMPDIR: '/tmp' }
  readonly #program: string
  readonly #abilities: string
  readonly #hidden: string
  readonly #standIns: readonly Mount[]

  constructor(program: string, abilities: string, hidden: string, standIns: readonly Mount[]) {
    this.#program = program
    this.#abilities = abilities
    this.#hidden = hidden
    this.#standIns = standIns
  }

  /** The arguments of a process that needs nothing. */
  get trial(): readonly string[] {
    return this.#argsFor([], 1, '/')
  }

  begin({ command, args, taskRoot, mounts, temporaryMb }: Launch): Beginning {
    requireExecutable(command, mounts)
    requireDistinct(mounts)
    return {
      command: this.#program,
      args: [...this.#argsFor(mounts, temporaryMb, taskRoot), command, ...args],
      workingDirectory: '/',
    }
  }

  ask(leader: number): void {
    // The first two would not pass it on: one ends at once, and with it all others, and number 1 hears nothing.
    for (const first of childrenOf(leader)) for (const pid of childrenOf(first)) terminate(pid)
  }

  endOf({ exitCode, signal }: ProcessEnd): ProcessEnd {
    const told = exitCode === null ? undefined : endingSignals.get(exitCode - 128)
    return told === undefined ? { exitCode, signal } : { exitCode: null, signal: told }
  }

  #argsFor(mounts: readonly Mount[], temporaryMb: number, workingDirectory: string): readonly string[] {
    const sized = this.#can('--size') ? ['--size', String(temporaryMb * bytesPerMb)] : []
    const settings = [...systemSettings, ...javaSettings()].map((name) => `/etc/${name}`)
    return [
      ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
      ...['--uid', user.id, '--gid', user.group, '--cap-drop', 'ALL', '--die-with-parent'],
      ...(this.#can('--disable-userns') ? ['--disable-userns'] : []),
      ...[...systemFolders, ...settings].flatMap((name) => ['--ro-bind-try', name, name]),
      ...this.#standIns.flatMap(readOnly),
      ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev', ...sized, '--tmpfs', '/tmp'],
      ...mounts.flatMap((mount) => [...readOnly(mount), ...this.#hide(mount)]),
      ...['--remount-ro', '/', '--chdir', workingDirectory, '--'],
    ]
  }

  #can(option: string): boolean {
    return this.#abilities.includes(option)
  }

  /** The data folder of a server is often inside the project of its functions. */
  #hide({ at }: Mount): readonly string[] {
    return isInside(this.#hidden, at) ? ['--tmpfs', this.#hidden] : []
  }
}

const readOnly = ({ from, at }: Mount): readonly string[] => ['--ro-bind', from, at]

const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** Some systems keep there what belongs to `/usr/lib/jvm`. */
const javaSettings = (): readonly string[] =>
  existsSync('/etc') ? readdirSync('/etc').filter((name) => /^java\b/.test(name)) : []

/** In words of the service: what is started in the namespace could only say that itself has ended. */
function requireExecutable(command: string, mounts: readonly Mount[]): void {
  const mount = mounts.find(({ at }) => isInside(command, at))
  if (mount === undefined) return
  try {
    accessSync(`${mount.from}${command.slice(mount.at.length)}`, constants.X_OK)
  } catch {
    throw new LaunchRefusal('Runtime.InvalidEntrypoint', `fork/exec ${command}: permission denied`)
  }
}

/** Nothing can be laid into layers: they are only to be read. */
function requireDistinct(mounts: readonly Mount[]): void {
  if (!mounts.some(({ at }) => at === opt)) return
  const inside = mounts.find(({ at }) => at !== opt && isInside(at, opt))
  if (inside === undefined) return
  throw new LaunchRefusal(
    'Runtime.InvalidEntrypoint',
    `the runtime lies in ${inside.from}, where the layers of the function are: install it elsewhere`,
  )
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    // It has just ended.
    return []
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has just ended.
  }
}

/** bwrap ends with 128 and the number of the signal; smaller ones are also how runtimes end by themselves. */
const endingSignals: ReadonlyMap<number, NodeJS.Signals> = new Map(
  (['SIGILL', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGSEGV', 'SIGTERM'] as const).map((name) => [
    system.signals[name],
    name,
  ]),
)

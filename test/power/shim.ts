/** Compiles `shim.c`, whose header says what it does, and says with which environment a process runs under it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const COMPILERS = ['cc', 'gcc', 'clang']

/** Why nothing can be watched here, or false. For the `skip` of a test. */
export function whyNoShim(): string | false {
  if (process.platform !== 'linux') return 'files are watched through LD_PRELOAD, on Linux only'
  if (process.arch !== 'x64' && process.arch !== 'arm64') return 'the shim knows 64-bit processors only'
  if (compiler() === undefined) return `no C compiler (${COMPILERS.join(', ')}) is installed`
  return false
}

/** Compiles the shim into a folder and returns the library's path. */
export function compileShim(folder: string): string {
  const command = compiler()
  if (command === undefined) throw new Error(`no C compiler: ${COMPILERS.join(', ')}`)
  const library = join(folder, 'power-shim.so')
  const source = join(import.meta.dirname, 'shim.c')
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC']
  execFileSync(command, [...flags, '-o', library, source, '-ldl', '-lpthread'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return library
}

export interface ShimSettings {
  readonly library: string
  /** The watched folder: absolute, without symbolic links, outside of which trace and faults lie. */
  readonly folder: string
  readonly trace?: string
  /** The file of fault rules: `setFaults`. */
  readonly faults?: string
}

/** The variables under which a process is watched. */
export function shimEnvironment({ library, folder, trace, faults }: ShimSettings): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    POWER_SHIM_FOLDER: folder,
    ...(trace !== undefined && { POWER_SHIM_TRACE: trace }),
    ...(faults !== undefined && { POWER_SHIM_FAULTS: faults }),
  }
}

/** The command that runs its last arguments under the shim, as `startPerdureProcess` takes it. */
export function underShim(settings: ShimSettings): readonly string[] {
  return ['env', ...Object.entries(shimEnvironment(settings)).map(([name, value]) => `${name}=${value}`)]
}

/** From the next call on every process under the shim goes by these rules (see `shim.c`), counted from now. */
export function setFaults(file: string, rules: readonly string[]): void {
  if (rules.length === 0) {
    rmSync(file, { force: true })
    return
  }
  writeFileSync(`${file}.next`, `${rules.join('\n')}\n`)
  renameSync(`${file}.next`, file)
}

function compiler(): string | undefined {
  return COMPILERS.find((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0)
}

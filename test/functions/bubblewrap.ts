/** bubblewrap for the tests that need it: found, or installed where that may be done. */
import { execFileSync } from 'node:child_process'

/** Why tests that need bubblewrap are skipped; false when it works. */
export function noBubblewrap(): string | false {
  if (process.platform !== 'linux') return 'bubblewrap is there for Linux alone'
  if (!succeeds('bwrap', '--version') && !install()) {
    return 'bubblewrap is not there, and only root may install it (apt-get install bubblewrap)'
  }
  const works = succeeds('bwrap', '--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true')
  return !works && 'this machine does not let bubblewrap make namespaces'
}

function install(): boolean {
  if (process.getuid?.() !== 0) return false
  const apt = (...args: readonly string[]) => succeeds('apt-get', '-qq', '-y', ...args)
  return apt('install', 'bubblewrap') || (apt('update') && apt('install', 'bubblewrap'))
}

export function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

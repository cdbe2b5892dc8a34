// Runs a script of this repository on the pinned Node.js, whatever Node (20 or newer) npm itself runs on.
// The binary comes from the platform packages beside this file; where none fits, the running Node is used
// when it is new enough. Signals are passed on and the exit code is the child's.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const oldestUsableMajor = 26
const require = createRequire(import.meta.url)

function pinnedNode() {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const names = [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`]
  for (const name of names) {
    try {
      const root = dirname(require.resolve(`${name}/package.json`))
      const binary = join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
      if (existsSync(binary)) return binary
    } catch {
      // Not installed: npm installs only the package of this platform.
    }
  }
  if (Number(process.versions.node.split('.')[0]) >= oldestUsableMajor) return process.execPath
  console.error(
    `perdure: needs Node.js ${oldestUsableMajor} or newer, found ${process.version}, and no pinned Node.js fits ${process.platform}-${process.arch}.\n` +
      'Run "npm ci" first; on other platforms install a newer Node.js.',
  )
  process.exit(1)
}

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  console.error('usage: node tools/pinned-node/run.mjs <script> [arguments]')
  process.exit(2)
}
// Young objects of a server mostly die within one commit; room for them saves a tenth of its CPU (docs/performance.md).
const flags = ['--max-semi-space-size=64']
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const child = spawn(pinnedNode(), [...flags, join(root, script), ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})

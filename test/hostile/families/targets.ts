/** Methods and paths that lead nowhere, or nearly somewhere. */
import { METHODS } from 'node:http'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { ANY, type Family } from '../attack.ts'
import { bytesOf } from '../request.ts'
import { ALL_OPERATIONS } from '../sound-requests.ts'

/** A tunnel is no request: the server ends the connection (`test/server/bad-wire.ts`). */
const methods = METHODS.filter((method) => method !== 'CONNECT')

const OWN_PATHS = [
  '/',
  '/healthz',
  '/readyz',
  '/metrics',
  '/perdure/v1/version',
  '/perdure/v1/logs',
  '/perdure/v1/clock',
  '/perdure/v1/noop',
  '/perdure/v1/clock/advance',
]

export const targets: Family = (chance, { port }) => {
  const method = chance.chance(0.5)
    ? chance.pick(['GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'] as const)
    : chance.pick(methods)
  const [title, path] = strangePath(chance)
  const body = chance.chance(0.2) ? Buffer.from('{}') : undefined
  const query = chance.chance(0.3)
    ? `?${chance.pick(['', '&&&', '=', 'a', 'a=b=c', '%00=%00', '?', '#x', 'Marker=&Marker=', '__proto__=1', 'limit=1'])}`
    : ''
  return {
    family: 'targets',
    title: `${method} ${title}`,
    bytes: bytesOf({ method, target: `${path}${query}`, headers: [], body }, port),
    expected: ANY,
    ...(method === 'HEAD' ? { head: true } : {}),
  }
}

function strangePath(chance: SeededRandom): readonly [title: string, path: string] {
  const template = chance.chance(0.3) ? chance.pick(OWN_PATHS) : chance.pick(ALL_OPERATIONS).path
  const label = chance.pick([
    '',
    'a',
    '.',
    '..',
    '%2e%2e',
    '%00',
    '%2F',
    'a/b',
    '//',
    '__proto__',
    '%F0%9F%92%A5',
    'a'.repeat(3_000),
    "'",
    '*',
  ])
  const path = template.replace(/\{\w+\+?\}/, () => label)
  return chance.pick([
    ['as it is', path],
    ['with a slash more', `${path}/`],
    ['with slashes doubled', path.replaceAll('/', '//')],
    ['with dots', path.replace('/', '/./x/../')],
    ['without its beginning', `/${path.split('/').slice(2).join('/')}`],
    ['in capitals', path.toUpperCase()],
    ['with all of it encoded', `/${encodeURIComponent(path.slice(1))}`],
    ['cut', path.slice(0, chance.between(1, path.length))],
    ['with a backslash', path.replaceAll('/', '\\').replace('\\', '/')],
    ['with a semicolon', `${path};x=1`],
    ['in absolute form', `http://127.0.0.1${path}`],
    ['in absolute form of another host', `http://evil.example${path}`],
    ['a star', '*'],
    ['of another date', path.replace('2025-12-01', '2024-12-01')],
  ] as const)
}

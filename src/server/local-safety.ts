/**
 * Refuses requests that a web page made the user's browser send (decision 26): a foreign `Origin`, or a `Host` that is
 * not this server's (a name of an attacker's domain that was bound to 127.0.0.1).
 */
import type { IncomingMessage } from 'node:http'
import { ApiError } from '../protocol/errors.ts'

export interface HostRule {
  /** The address or name the server was bound to; the loopback names are always accepted. */
  readonly host: string
  /** Accept these hosts with any port, not only with the port of the socket (listeners of sandboxes, mapped ports). */
  readonly anyPort: boolean
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

export function localSafety(rule: HostRule): (request: IncomingMessage) => void {
  const names = new Set([...LOOPBACK, bracketed(rule.host.toLowerCase())])
  const isOurs = (authority: string, request: IncomingMessage): boolean => {
    const { name, port } = splitAuthority(authority.toLowerCase())
    return names.has(name) && (rule.anyPort || port === request.socket.localPort)
  }
  return (request) => {
    const { host, origin } = request.headers
    if (host === undefined || !isOurs(host, request)) {
      throw new ApiError('AccessDeniedException', 'This server does not answer to the Host of the request.')
    }
    if (origin !== undefined && !(origin.startsWith('http://') && isOurs(origin.slice(7), request))) {
      throw new ApiError('AccessDeniedException', 'This server does not answer requests of other origins.')
    }
  }
}

/** `localhost:7077` → localhost, 7077; without a port it is that of http. */
function splitAuthority(authority: string): { readonly name: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(authority)
  if (match === null || authority.endsWith(']')) return { name: authority, port: 80 }
  return { name: match[1] ?? '', port: Number(match[2]) }
}

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host)

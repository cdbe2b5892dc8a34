/** JSON for programs: the members of the API in its own spelling, with timestamps as ISO 8601 texts instead of numbers. */
import { wireName } from '../client/member-names.ts'

export function forPrograms(value: unknown, indent = 2): string {
  return JSON.stringify(apiValue(value, ''), undefined, indent)
}

function apiValue(value: unknown, member: string): unknown {
  if (typeof value === 'number' && member.endsWith('Timestamp')) return new Date(value).toISOString()
  if (Array.isArray(value)) return value.map((each) => apiValue(each, ''))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [wireName(name), apiValue(inner, name)]))
}

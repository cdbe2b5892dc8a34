/** JSON for programs: the members of the API, with timestamps as ISO 8601 texts instead of numbers. */
export function forPrograms(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (name, member: unknown) =>
      name.endsWith('Timestamp') && typeof member === 'number' ? new Date(member).toISOString() : member,
    indent,
  )
}

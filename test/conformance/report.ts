/** How outcomes are shown: a table for people, a JUnit file for machines. */
import type { Requirement } from './requirement.ts'
import type { Outcome } from './runner.ts'

/** All runs of one requirement on one store. */
export interface Verdict {
  readonly requirement: Requirement
  readonly store: string
  readonly outcomes: readonly Outcome[]
}

export const passed = (verdict: Verdict): boolean => verdict.outcomes.every(({ problems }) => problems.length === 0)

export function row(verdict: Verdict): string {
  const { requirement, outcomes } = verdict
  const good = outcomes.filter(({ problems }) => problems.length === 0).length
  const result = outcomes.length === 1 ? (good === 1 ? 'passed' : 'FAILED') : `${good}/${outcomes.length} passed`
  const description = requirement.description.slice(0, 76).padEnd(76)
  return `${requirement.id.padEnd(5)} ${description} ${result.padEnd(10)} ${longest(verdict).toFixed(1).padStart(5)} s`
}

/** Why it failed: the problems of the first failing run, and the history it saw. */
export function explanation(verdict: Verdict): string {
  const outcome = verdict.outcomes.find(({ problems }) => problems.length > 0)
  if (outcome === undefined) return ''
  const lines = [`${verdict.requirement.id} on ${verdict.store}: ${verdict.requirement.description}`]
  lines.push(...outcome.problems.map((problem) => `  - ${problem}`))
  if (outcome.arn !== undefined) lines.push(`  ${outcome.arn}`)
  lines.push(...(outcome.history ?? []).map((event) => `    ${eventLine(event)}`))
  return lines.join('\n')
}

function eventLine(event: Readonly<Record<string, unknown>>): string {
  const { EventId, EventType, EventTimestamp, SubType, Id, ParentId, Name, ...details } = event
  const at = EventTimestamp instanceof Date ? EventTimestamp.toISOString().slice(11, 23) : ''
  const text = JSON.stringify(Object.values(details)[0] ?? null)
  return [EventId, at, EventType, Name, Id, ParentId === undefined ? '' : `^${String(ParentId)}`, text.slice(0, 300)]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
}

export function junit(verdicts: readonly Verdict[], skipped: readonly string[]): string {
  const cases = [
    ...verdicts.map(junitCase),
    ...skipped.map((id) => `    <testcase classname="conformance" name="${id}"><skipped/></testcase>`),
  ]
  const failures = verdicts.filter((verdict) => !passed(verdict)).length
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="conformance" tests="${cases.length}" failures="${failures}" skipped="${skipped.length}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function junitCase(verdict: Verdict): string {
  const name = escapeXml(`${verdict.requirement.id} ${verdict.requirement.description}`)
  const attributes = `classname="conformance.${verdict.store}" name="${name}" time="${longest(verdict).toFixed(3)}"`
  if (passed(verdict)) return `    <testcase ${attributes}/>`
  return `    <testcase ${attributes}><failure>${escapeXml(explanation(verdict))}</failure></testcase>`
}

function longest(verdict: Verdict): number {
  return Math.max(0, ...verdict.outcomes.map(({ seconds }) => seconds))
}

function escapeXml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Not allowed in XML 1.0, not even escaped.
      .replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, '?')
  )
}

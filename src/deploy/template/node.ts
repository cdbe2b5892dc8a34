/**
 * A template as a tree in which every node knows its place, so that whatever is found wrong later, in a value that went
 * through three functions and a mapping, can still be shown where somebody wrote it.
 *
 * Functions have one form, that of JSON: `!GetAtt A.Arn` is `{ "Fn::GetAtt": ["A", "Arn"] }`.
 */

export interface Place {
  /** As people are to read it: relative to where the command runs. */
  readonly file: string
  /** Both from 1. */
  readonly line: number
  readonly column: number
}

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: string | number | boolean | null
  /** As it was written: `012345678901` is an account, not a number. */
  readonly text: string
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly TemplateNode[]
}

export interface Field {
  readonly place: Place
  readonly value: TemplateNode
}

export interface FieldsNode {
  readonly kind: 'fields'
  readonly place: Place
  readonly fields: ReadonlyMap<string, Field>
}

export type TemplateNode = ScalarNode | ListNode | FieldsNode

export const textNode = (place: Place, text: string): ScalarNode => ({ kind: 'scalar', place, value: text, text })

export const fieldsNode = (place: Place, entries: Iterable<readonly [string, Field]>): FieldsNode => ({
  kind: 'fields',
  place,
  fields: new Map(entries),
})

/** What a node is, in an error's words. */
export const KINDS: Readonly<Record<TemplateNode['kind'], string>> = {
  scalar: 'a single value',
  list: 'a list',
  fields: 'an object',
}

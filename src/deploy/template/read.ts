/**
 * YAML and JSON to a tree with places. Short tags (`!Ref`) become the functions that they stand for. The text is a
 * stranger's: its size is bounded, and so is what its aliases make of it, which is counted before it is made.
 */
import { type Alias, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { didYouMean, TemplateProblem } from '../problem.ts'
import { type Field, type FieldsNode, fieldsNode, type Place, type TemplateNode, textNode } from './node.ts'

export const TEMPLATE_LIMITS = {
  /** That of the real service. */
  bytes: 1_000_000,
  /** Aliases counted as often as they are used. */
  nodes: 100_000,
  depth: 100,
} as const

/** What each tag is the short form of. */
const SHORT_TAGS: Readonly<Record<string, string>> = {
  '!Ref': 'Ref',
  '!Condition': 'Condition',
  ...Object.fromEntries(
    [
      'And',
      'Base64',
      'Cidr',
      'Equals',
      'FindInMap',
      'ForEach',
      'GetAtt',
      'GetAZs',
      'If',
      'ImportValue',
      'Join',
      'Length',
      'Not',
      'Or',
      'Select',
      'Split',
      'Sub',
      'ToJsonString',
      'Transform',
    ].map((name) => [`!${name}`, `Fn::${name}`]),
  ),
}

/** Tags of YAML itself, which the parser has applied. */
const OWN_TAGS = /^tag:yaml\.org,2002:/

/** Throws a `TemplateProblem`. `file` is what people read in messages. */
export function readTemplate(text: string, file: string): FieldsNode {
  const start: Place = { file, line: 1, column: 1 }
  const bytes = Buffer.byteLength(text)
  if (bytes > TEMPLATE_LIMITS.bytes) {
    throw new TemplateProblem(
      start,
      `the template has ${bytes} bytes, and no more than ${TEMPLATE_LIMITS.bytes} are read`,
      'name the template, not what was built from it; split it into several stacks',
    )
  }
  const lines = new LineCounter()
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const document = parsed(text, lines, start)
  const [error] = document.errors
  if (error !== undefined) {
    if (/call stack/.test(error.message)) throw tooDeep(place(error.pos[0]))
    const [first = ''] = error.message.split(/ at line \d+, column \d+/)
    throw new TemplateProblem(
      place(error.pos[0]),
      `this is not YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`,
      'correct the text there or in the lines before it',
    )
  }
  if (document.contents === null) {
    throw new TemplateProblem(start, 'the template is empty', 'give it Resources with a function')
  }
  const root = new Converter(place).convert(document.contents as Node, 0).node
  if (root.kind !== 'fields') {
    throw new TemplateProblem(root.place, 'the template is not an object', 'give it Resources with a function')
  }
  return root
}

function parsed(text: string, lineCounter: LineCounter, start: Place) {
  try {
    // That keys are unique is looked at below: the parser compares each with each.
    return parseDocument(text, { lineCounter, merge: true, uniqueKeys: false, logLevel: 'error' })
  } catch (error) {
    // The parser calls itself for what is nested.
    if (!(error instanceof RangeError)) throw error
    throw tooDeep(start)
  }
}

const tooDeep = (place: Place): TemplateProblem =>
  new TemplateProblem(
    place,
    `values are nested deeper than ${TEMPLATE_LIMITS.depth} levels`,
    'no template needs that: correct the indentation or the brackets',
  )

/** With how many nodes there are in it when aliases are followed. */
interface Converted {
  readonly node: TemplateNode
  readonly nodes: number
}

class Converter {
  readonly #place: (offset: number) => Place
  /** What an anchor names, or undefined while that is being read: an alias inside of it would have no end. */
  readonly #anchors = new Map<string, Converted | undefined>()

  constructor(place: (offset: number) => Place) {
    this.#place = place
  }

  convert(node: Node | null, depth: number, fallback?: Place): Converted {
    const place = node === null ? fallback : this.#placeOf(node)
    if (place === undefined) throw new Error('A node without a place')
    if (depth > TEMPLATE_LIMITS.depth) throw tooDeep(place)
    if (node === null) return { node: { kind: 'scalar', place, value: null, text: '' }, nodes: 1 }
    if (isAlias(node)) return this.#aliased(node, place)
    const anchor = 'anchor' in node ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, undefined)
    const plain = this.#plain(node, place, depth)
    const converted = this.#tagged(node.tag, plain, place)
    if (converted.nodes > TEMPLATE_LIMITS.nodes) {
      throw new TemplateProblem(
        place,
        `with its aliases the template has more than ${TEMPLATE_LIMITS.nodes} values`,
        'use fewer aliases of aliases',
      )
    }
    if (anchor !== undefined) this.#anchors.set(anchor, converted)
    return converted
  }

  #placeOf({ range }: Node): Place {
    return this.#place(range?.[0] ?? 0)
  }

  #aliased({ source }: Alias, place: Place): Converted {
    const known = this.#anchors.get(source)
    if (known !== undefined) return known
    throw this.#anchors.has(source)
      ? new TemplateProblem(place, `*${source} is used inside of what it names`, 'take the alias out of its own anchor')
      : new TemplateProblem(place, `there is no anchor &${source} before this`, 'define the anchor first')
  }

  #plain(node: Node, place: Place, depth: number): Converted {
    if (isScalar(node)) return { node: scalarOf(node.value, node.source, place), nodes: 1 }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.convert(item as Node, depth + 1, place))
      return {
        node: { kind: 'list', place, items: items.map((each) => each.node) },
        nodes: items.reduce((sum, each) => sum + each.nodes, 1),
      }
    }
    if (!isMap(node)) throw new TemplateProblem(place, 'this is no value of a template', 'write a value')
    const fields = new Map<string, Field>()
    const named = new Set<string>()
    let nodes = 1
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) {
        throw new TemplateProblem(place, 'a name in this object is not text', 'write each member as name: value')
      }
      const name = pair.key.source ?? String(pair.key.value)
      const at = this.#placeOf(pair.key)
      if (named.has(name)) {
        throw new TemplateProblem(at, `"${name}" is there twice in the same object`, 'keep one of them')
      }
      named.add(name)
      const value = this.convert(pair.value as Node | null, depth + 1, at)
      nodes += value.nodes
      if (name === '<<' && pair.key.type === 'PLAIN') merge(fields, value.node)
      else fields.set(name, { place: at, value: value.node })
    }
    return { node: { kind: 'fields', place, fields }, nodes }
  }

  #tagged(tag: string | undefined, plain: Converted, place: Place): Converted {
    if (tag === undefined || tag === '!' || OWN_TAGS.test(tag)) return plain
    const name = SHORT_TAGS[tag]
    if (name === undefined) {
      throw new TemplateProblem(
        place,
        `${tag} is no function that templates have`,
        didYouMean(tag, Object.keys(SHORT_TAGS)),
      )
    }
    const value = name === 'Fn::GetAtt' ? attributeParts(plain.node) : plain.node
    return { node: fieldsNode(place, [[name, { place, value }]]), nodes: plain.nodes + 1 }
  }
}

function scalarOf(value: unknown, source: string | undefined, place: Place): TemplateNode {
  const known =
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : String(value)
  return { kind: 'scalar', place, value: known, text: known === null ? '' : (source ?? String(known)) }
}

/** `A.B.Outputs.C`: the resource's name ends at the first dot. */
function attributeParts(node: TemplateNode): TemplateNode {
  if (node.kind !== 'scalar') return node
  const dot = node.text.indexOf('.')
  if (dot < 0) return node
  const parts = [node.text.slice(0, dot), node.text.slice(dot + 1)].map((part) => textNode(node.place, part))
  return { kind: 'list', place: node.place, items: parts }
}

/** `<<: *defaults`: what the object says itself, before or after, wins. */
function merge(fields: Map<string, Field>, merged: TemplateNode): void {
  const sources = merged.kind === 'list' ? merged.items : [merged]
  for (const source of sources) {
    if (source.kind !== 'fields') {
      throw new TemplateProblem(source.place, '<< is given no object', 'give it an alias of an object')
    }
    for (const [name, field] of source.fields) if (!fields.has(name)) fields.set(name, field)
  }
}

/**
 * Draws an execution's tree as lines of text: contexts nest, every operation shows what it is, how long it took or has
 * taken, its attempts, and what it waits for and since when. Pure: tree and time in, lines out.
 */
import { type Paint, plain, type Style } from '../terminal.ts'
import { clockTime, counted, duration, ordinal, printable, shortened } from './amounts.ts'
import { type ExecutionTree, errorText, type NodeStatus, type TreeNode } from './execution-tree.ts'

export interface Drawing {
  readonly nowMs: number
  /** Lines are cut here; the result or error of an execution only while it is one of `mostLines`. */
  readonly width: number
  /** Above this many lines, what lies under finished contexts is left out, then the oldest lines. */
  readonly mostLines?: number
  readonly paint?: Paint
  /** False: ASCII only. */
  readonly unicode?: boolean
  /** Trees of executions started by chained invokes, by ARN. */
  readonly children?: ReadonlyMap<string, ExecutionTree>
}

interface Segment {
  readonly text: string
  readonly style?: Style
}
type Line = readonly Segment[]

interface Row {
  /** Branches of the tree, drawn dim. */
  readonly prefix: string
  readonly glyph: Segment
  readonly label: string
  readonly kind: string
  readonly elapsed: string
  readonly notes: Line
}

const glyphs: Record<NodeStatus, { readonly fine: string; readonly ascii: string; readonly style: Style }> = {
  running: { fine: '●', ascii: '*', style: 'cyan' },
  waiting: { fine: '◔', ascii: '~', style: 'yellow' },
  retrying: { fine: '↻', ascii: '@', style: 'yellow' },
  succeeded: { fine: '✓', ascii: '+', style: 'green' },
  failed: { fine: '✗', ascii: 'x', style: 'red' },
  cancelled: { fine: '⊘', ascii: '-', style: 'dim' },
  timedOut: { fine: '✗', ascii: 'x', style: 'red' },
  stopped: { fine: '✗', ascii: 'x', style: 'red' },
}

const kindBySubType: Readonly<Record<string, string>> = {
  Map: 'map',
  MapIteration: 'item',
  Parallel: 'parallel',
  ParallelBranch: 'branch',
  RunInChildContext: 'context',
  WaitForCallback: 'callback',
  WaitForCondition: 'condition',
}

const statusStyle: Record<ExecutionTree['status'], Style> = {
  RUNNING: 'cyan',
  SUCCEEDED: 'green',
  FAILED: 'red',
  TIMED_OUT: 'red',
  STOPPED: 'yellow',
}

/** The label column never pushes the rest off a narrow screen. */
const widestLabel = 44

export function treeLines(tree: ExecutionTree, drawing: Drawing): readonly string[] {
  const paint = drawing.paint ?? plain
  const most = drawing.mostLines ?? Number.POSITIVE_INFINITY
  const foot = footLines(tree, drawing)
  const head = headLine(tree, drawing)
  let body = bodyLines(tree, drawing, false)
  if (body.length + foot.length + 1 > most) body = bodyLines(tree, drawing, true)
  const room = Math.max(1, most - foot.length - 2)
  if (body.length + foot.length + 1 > most && body.length > room) {
    body = [[{ text: `… ${body.length - room} lines above`, style: 'dim' }], ...body.slice(-room)]
  }
  const footWidth = drawing.mostLines === undefined ? Number.POSITIVE_INFINITY : drawing.width
  return [
    ...[head, ...body].map((line) => paintLine(line, drawing.width, paint)),
    ...foot.map((line) => paintLine(line, footWidth, paint)),
  ]
}

function headLine(tree: ExecutionTree, drawing: Drawing): Line {
  const facts = [duration((tree.endedAt ?? drawing.nowMs) - tree.startedAt)]
  if (tree.invocations > 0) facts.push(counted(tree.invocations, 'invocation'))
  if (tree.failedInvocations > 0) facts.push(`${tree.failedInvocations} failed`)
  return [
    { text: printable(tree.name ?? 'execution'), style: 'bold' },
    { text: '  ' },
    { text: tree.status, style: statusStyle[tree.status] },
    { text: `  ${facts.join(', ')}`, style: 'dim' },
  ]
}

/** The ids of open callbacks stand on lines of their own, whole, so that they can be copied. */
function callbackLines(nodes: readonly TreeNode[], drawing: Drawing, within = 'a callback'): Line[] {
  return nodes.flatMap((node): Line[] => {
    // The SDK's waitForCallback names its context, not the callback in it.
    const name = node.name === undefined ? within : printable(node.name)
    if (node.callbackId === undefined || node.status !== 'waiting') {
      return callbackLines(childrenOf(node, drawing), drawing, name)
    }
    return [[{ text: `${name} waits for callback id`, style: 'dim' }], [{ text: `  ${printable(node.callbackId)}` }]]
  })
}

function footLines(tree: ExecutionTree, drawing: Drawing): Line[] {
  if (tree.status === 'RUNNING') return callbackLines(tree.roots, drawing)
  if (tree.result !== undefined) return [[{ text: 'result  ', style: 'dim' }, { text: printable(tree.result) }]]
  if (tree.error !== undefined) {
    return [
      [
        { text: 'error   ', style: 'dim' },
        { text: printable(errorText(tree.error)), style: 'red' },
      ],
    ]
  }
  return []
}

function bodyLines(tree: ExecutionTree, drawing: Drawing, foldFinished: boolean): Line[] {
  const rows = rowsOf(tree.roots, '', drawing, foldFinished)
  const labelWidth = Math.min(widestLabel, Math.max(0, ...rows.map((row) => labelLength(row))))
  const kindWidth = Math.max(0, ...rows.map((row) => row.kind.length))
  const elapsedWidth = Math.max(0, ...rows.map((row) => row.elapsed.length))
  return rows.map((row) => [
    { text: row.prefix, style: 'dim' as const },
    row.glyph,
    { text: ` ${row.label}`.padEnd(Math.max(1, labelWidth - row.prefix.length - 1)) },
    { text: `  ${row.kind.padEnd(kindWidth)}  ${row.elapsed.padStart(elapsedWidth)}`, style: 'dim' as const },
    ...(row.notes.length === 0 ? [] : [{ text: '  ' }, ...row.notes]),
  ])
}

const labelLength = (row: Row) => row.prefix.length + 2 + row.label.length

function rowsOf(nodes: readonly TreeNode[], indent: string, drawing: Drawing, foldFinished: boolean): Row[] {
  const fine = drawing.unicode !== false
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1
    const branch = fine ? (last ? '└─ ' : '├─ ') : last ? '`- ' : '|- '
    const under = indent + (last ? '   ' : fine ? '│  ' : '|  ')
    const inside = childrenOf(node, drawing)
    const folded = foldFinished && node.status === 'succeeded' && inside.length > 0
    const row = rowOf(node, indent + branch, drawing, folded ? inside.length : 0)
    return folded ? [row] : [row, ...rowsOf(inside, under, drawing, foldFinished)]
  })
}

/** A context's own operations, or those of the execution that a chained invoke started. */
function childrenOf(node: TreeNode, drawing: Drawing): readonly TreeNode[] {
  if (node.childArn === undefined) return node.children
  return drawing.children?.get(node.childArn)?.roots ?? node.children
}

function rowOf(node: TreeNode, prefix: string, drawing: Drawing, foldedChildren: number): Row {
  const glyph = glyphs[node.status]
  const kind = kindOf(node)
  return {
    prefix,
    glyph: { text: drawing.unicode === false ? glyph.ascii : glyph.fine, style: glyph.style },
    label: node.name === undefined ? `(${kind})` : shortened(printable(node.name), widestLabel - 8),
    kind,
    elapsed: duration((node.endedAt ?? drawing.nowMs) - node.startedAt),
    notes: joined(notesOf(node, drawing.nowMs, foldedChildren)),
  }
}

function kindOf(node: TreeNode): string {
  if (node.kind === 'invoke') return `invoke ${printable(shortFunctionName(node.functionName ?? ''))}`.trimEnd()
  if (node.kind === 'step' && node.subType === 'WaitForCondition') return 'condition'
  if (node.kind !== 'context') return node.kind
  return kindBySubType[node.subType ?? ''] ?? 'context'
}

/** arn:aws:lambda:us-east-1:000000000000:function:pay:$LATEST → pay */
const shortFunctionName = (reference: string) =>
  (reference.startsWith('arn:') ? (reference.split(':')[6] ?? reference) : reference).replace(/:.*$/, '')

function notesOf(node: TreeNode, nowMs: number, foldedChildren: number): Segment[] {
  const notes: Segment[] = []
  const waits = waitingFor(node, nowMs)
  if (waits !== undefined) notes.push({ text: waits, style: 'yellow' })
  if (node.kind === 'step' && node.attempt > 1) notes.push({ text: `${ordinal(node.attempt)} attempt`, style: 'dim' })
  const lastFailure = node.failedAttempts.at(-1)
  if (lastFailure !== undefined && node.status !== 'failed') {
    notes.push({
      text: `${ordinal(lastFailure.attempt)} failed: ${printable(errorText(lastFailure.error))}`,
      style: 'dim',
    })
  }
  if (node.interruptions > 0) notes.push({ text: `interrupted ${times(node.interruptions)}`, style: 'yellow' })
  if (node.error !== undefined && node.status !== 'succeeded') {
    notes.push({ text: printable(errorText(node.error)), style: 'red' })
  }
  if (node.status === 'timedOut' && node.error === undefined) notes.push({ text: 'timed out', style: 'red' })
  if (foldedChildren > 0) notes.push({ text: `${counted(foldedChildren, 'operation')} inside`, style: 'dim' })
  return notes
}

const times = (n: number) => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`)

function waitingFor(node: TreeNode, nowMs: number): string | undefined {
  if (node.status === 'retrying') return `next attempt ${due(node.dueAt, nowMs)}`
  if (node.status !== 'waiting') return undefined
  const since = `since ${clockTime(node.startedAt, nowMs)}`
  if (node.kind === 'wait') return `until ${clockTime(node.dueAt ?? nowMs, nowMs)}, ${due(node.dueAt, nowMs)}`
  if (node.kind === 'invoke')
    return `waits for ${printable(shortFunctionName(node.functionName ?? 'its target'))} ${since}`
  const timeout = node.dueAt === undefined ? '' : `, times out ${due(node.dueAt, nowMs)}`
  return `waits for its completion ${since}${timeout}`
}

const due = (at: number | undefined, nowMs: number) =>
  at === undefined || at <= nowMs ? 'due now' : `in ${duration(at - nowMs)}`

function joined(notes: readonly Segment[]): Line {
  return notes.flatMap((note, index) => (index === 0 ? [note] : [{ text: ', ', style: 'dim' as const }, note]))
}

/** Cuts a line to the width, then paints it. */
function paintLine(line: Line, width: number, paint: Paint): string {
  let room = width
  let text = ''
  for (const segment of line) {
    if (room <= 0) break
    const part = shortened(segment.text, room)
    room -= Array.from(part).length
    text += segment.style === undefined ? part : paint(segment.style, part)
  }
  return text.trimEnd()
}

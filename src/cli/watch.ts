/**
 * Follows an execution until it ends, and shows it: as a tree that is redrawn in place on a terminal, as one line per
 * event elsewhere. Executions that it starts by chained invokes are followed with it, and nest in the tree.
 */
import type { PerdureClient } from '../client/client.ts'
import { RefusedError, UnreachableError } from '../client/errors.ts'
import { HistoryFollower } from '../client/history-follower.ts'
import type { HistoryEvent } from '../client/responses.ts'
import { pause } from './pause.ts'
import { printable } from './render/amounts.ts'
import { eventLine } from './render/event-line.ts'
import { allNodes, type ExecutionTree, executionTree } from './render/execution-tree.ts'
import { LiveBlock } from './render/live-block.ts'
import { treeLines } from './render/tree-lines.ts'
import type { Terminal } from './terminal.ts'

export const DEFAULT_POLL_MS = 200

export interface Watch {
  readonly client: PerdureClient
  readonly arn: string
  readonly terminal: Terminal
  /** Ends the watching; the execution goes on. */
  readonly signal: AbortSignal
  readonly pollMs?: number
  /** Goes on when the server does not answer, instead of failing: it may come back. */
  readonly patient?: boolean
  /** Takes each new event instead of the usual line, where nothing is redrawn. */
  readonly onEvent?: (event: HistoryEvent) => void
  /** Called with the tree whenever it has changed. */
  readonly onChange?: (tree: ExecutionTree) => void
  /** Lines of others (a log, what the demo does), shown above the tree. */
  readonly takeNotes?: () => readonly string[]
}

/** Resolves with the tree when the execution has ended, or with the newest one when aborted; undefined when there was none. */
export async function watchExecution(watch: Watch): Promise<ExecutionTree | undefined> {
  const family = new Family(watch.client, watch.arn)
  const show = watch.terminal.live && watch.onEvent === undefined ? new LiveView(watch) : new LineView(watch)
  let tree: ExecutionTree | undefined
  for (;;) {
    let away: string | undefined
    try {
      const news = await family.poll(watch.signal)
      tree = family.tree(watch.arn)
      show.events(news)
      if (news.length > 0 && tree !== undefined) watch.onChange?.(tree)
    } catch (error) {
      if (watch.signal.aborted) break
      if (watch.patient !== true || !(error instanceof UnreachableError)) throw error
      away = 'the server does not answer; waiting for it'
    }
    show.tree(tree, family.children, away)
    if (watch.signal.aborted || (tree !== undefined && tree.status !== 'RUNNING')) break
    await pause(watch.pollMs ?? DEFAULT_POLL_MS, watch.signal)
  }
  show.end(tree, family.children)
  return tree
}

interface News {
  readonly arn: string
  readonly event: HistoryEvent
  /** Name of the execution that the event is of, when it is not the one that is watched. */
  readonly of: string | undefined
  readonly startedAt: number
}

/** The watched execution and those that it started, each with its events so far. */
class Family {
  readonly #client: PerdureClient
  readonly #root: string
  readonly #members = new Map<string, { readonly follower: HistoryFollower; readonly events: HistoryEvent[] }>()
  readonly children = new Map<string, ExecutionTree>()
  #rootTree: ExecutionTree | undefined

  constructor(client: PerdureClient, root: string) {
    this.#client = client
    this.#root = root
    this.#add(root)
  }

  tree(arn: string): ExecutionTree | undefined {
    return arn === this.#root ? this.#rootTree : this.children.get(arn)
  }

  async poll(signal: AbortSignal): Promise<readonly News[]> {
    const news: News[] = []
    // Members found on the way are polled in the same round: a Map's iteration takes in what is added.
    for (const [arn, member] of this.#members) {
      const known = this.tree(arn)
      if (known !== undefined && known.status !== 'RUNNING') continue
      const fresh = await this.#pollOne(member.follower, arn, signal)
      if (fresh.length === 0) continue
      member.events.push(...fresh)
      const tree = executionTree(member.events)
      if (tree === undefined) continue
      if (arn === this.#root) this.#rootTree = tree
      else this.children.set(arn, tree)
      for (const node of allNodes(tree.roots)) if (node.childArn !== undefined) this.#add(node.childArn)
      const of = arn === this.#root ? undefined : arn.split(':function:')[1]?.split(':')[0]
      news.push(...fresh.map((event) => ({ arn, event, of, startedAt: this.#rootTree?.startedAt ?? tree.startedAt })))
    }
    return news.sort((a, b) => a.event.eventTimestamp - b.event.eventTimestamp)
  }

  async #pollOne(follower: HistoryFollower, arn: string, signal: AbortSignal): Promise<readonly HistoryEvent[]> {
    try {
      return await follower.poll(signal)
    } catch (error) {
      // A child exists a moment after its parent's event says so, and may be purged before the parent.
      if (arn !== this.#root && error instanceof RefusedError && error.code === 'ResourceNotFoundException') return []
      throw error
    }
  }

  #add(arn: string): void {
    if (!this.#members.has(arn))
      this.#members.set(arn, { follower: new HistoryFollower(this.#client, arn), events: [] })
  }
}

interface View {
  events(news: readonly News[]): void
  tree(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>, away: string | undefined): void
  end(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>): void
}

class LiveView implements View {
  readonly #watch: Watch
  readonly #block: LiveBlock

  constructor(watch: Watch) {
    this.#watch = watch
    this.#block = new LiveBlock(watch.terminal.write)
  }

  events(): void {}

  tree(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>, away: string | undefined): void {
    this.#printNotes()
    const { terminal } = this.#watch
    const lines = [...this.#lines(tree, children, terminal.height() - 2)]
    if (away !== undefined) lines.push(terminal.paint('yellow', away))
    this.#block.draw(lines)
  }

  end(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>): void {
    this.#printNotes()
    this.#block.erase()
    for (const line of this.#lines(tree, children)) this.#watch.terminal.out(line)
  }

  #printNotes(): void {
    const notes = this.#watch.takeNotes?.() ?? []
    if (notes.length === 0) return
    this.#block.erase()
    for (const note of notes) this.#watch.terminal.out(note)
  }

  #lines(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>, most?: number) {
    if (tree === undefined) return ['waiting for the first event']
    const { terminal } = this.#watch
    const nowMs = tree.endedAt ?? Math.max(Date.now(), tree.lastEventAt)
    return treeLines(tree, {
      nowMs,
      width: terminal.width(),
      ...(most !== undefined && { mostLines: Math.max(most, 3) }),
      paint: terminal.paint,
      unicode: terminal.unicode,
      children,
    })
  }
}

class LineView implements View {
  readonly #watch: Watch
  #away = false

  constructor(watch: Watch) {
    this.#watch = watch
  }

  events(news: readonly News[]): void {
    this.#printNotes()
    for (const { event, of, startedAt } of news) {
      if (this.#watch.onEvent !== undefined) this.#watch.onEvent(event)
      else
        this.#watch.terminal.out(`${eventLine(event, startedAt)}${of === undefined ? '' : `  (in ${printable(of)})`}`)
    }
  }

  tree(
    _tree: ExecutionTree | undefined,
    _children: ReadonlyMap<string, ExecutionTree>,
    away: string | undefined,
  ): void {
    this.#printNotes()
    if (away !== undefined && !this.#away) this.#watch.terminal.err(away)
    this.#away = away !== undefined
  }

  /** What others did since the last look comes before what was seen by this one. */
  #printNotes(): void {
    for (const note of this.#watch.takeNotes?.() ?? []) this.#watch.terminal.out(note)
  }

  end(tree: ExecutionTree | undefined, children: ReadonlyMap<string, ExecutionTree>): void {
    if (tree === undefined || this.#watch.onEvent !== undefined) return
    const { terminal } = this.#watch
    const drawing = {
      nowMs: tree.endedAt ?? tree.lastEventAt,
      width: terminal.width(),
      children,
      unicode: terminal.unicode,
    }
    terminal.out('')
    for (const line of treeLines(tree, { ...drawing, paint: terminal.paint })) terminal.out(line)
  }
}

/**
 * A set in order of a comparison, kept as a list of short sorted blocks: adding and removing cost a binary search and
 * a move within one block, whatever the number of items. An item's place must not change while it is in the set.
 */
const BLOCK_ITEMS = 256

export class OrderedSet<Item> {
  readonly #compare: (a: Item, b: Item) => number
  /** No block is empty; all items of a block come before those of the next. */
  readonly #blocks: Item[][] = []
  #size = 0

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  /** Adds an item that is not in the set yet. */
  add(item: Item): void {
    const isBefore = (other: Item) => this.#compare(other, item) < 0
    const at = Math.min(this.#blockOfFirstNot(isBefore), this.#blocks.length - 1)
    const block = this.#blocks[at]
    this.#size += 1
    if (block === undefined) {
      this.#blocks.push([item])
      return
    }
    block.splice(prefixLength(block, isBefore), 0, item)
    if (block.length > BLOCK_ITEMS) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_ITEMS >> 1))
  }

  /** Removes the item that compares equal; false when there is none. */
  delete(item: Item): boolean {
    const isBefore = (other: Item) => this.#compare(other, item) < 0
    const at = this.#blockOfFirstNot(isBefore)
    const block = this.#blocks[at]
    if (block === undefined) return false
    const index = prefixLength(block, isBefore)
    const found = block[index]
    if (found === undefined || this.#compare(found, item) !== 0) return false
    block.splice(index, 1)
    if (block.length === 0) this.#blocks.splice(at, 1)
    this.#size -= 1
    return true
  }

  /** In order, without the leading items for which `skip` holds (it must hold of a prefix). */
  *ascending(skip: (item: Item) => boolean): Generator<Item> {
    const start = this.#blockOfFirstNot(skip)
    for (let at = start; at < this.#blocks.length; at += 1) {
      const block = this.#blocks[at] ?? []
      for (let index = at === start ? prefixLength(block, skip) : 0; index < block.length; index += 1) {
        yield block[index] as Item
      }
    }
  }

  /** In reverse order, without the items at the end for which `skip` holds (it must hold of a suffix). */
  *descending(skip: (item: Item) => boolean): Generator<Item> {
    const isKept = (item: Item) => !skip(item)
    const start = Math.min(this.#blockOfFirstNot(isKept), this.#blocks.length - 1)
    for (let at = start; at >= 0; at -= 1) {
      const block = this.#blocks[at] ?? []
      for (let index = (at === start ? prefixLength(block, isKept) : block.length) - 1; index >= 0; index -= 1) {
        yield block[index] as Item
      }
    }
  }

  /** Index of the block with the first item for which `test`, true of a prefix, does not hold; the count if none. */
  #blockOfFirstNot(test: (item: Item) => boolean): number {
    return prefixLength(this.#blocks, (block) => test(block[block.length - 1] as Item))
  }
}

/** How many leading elements satisfy `test`, which must hold of a prefix. */
function prefixLength<Element>(elements: readonly Element[], test: (element: Element) => boolean): number {
  let low = 0
  let high = elements.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (test(elements[middle] as Element)) low = middle + 1
    else high = middle
  }
  return low
}

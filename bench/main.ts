/**
 * `npm run bench -- <name>`: one benchmark, figures on standard output. Figures of different runs are not comparable;
 * each benchmark interleaves what it compares.
 */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  checkpoint: () => import('./checkpoint.ts'),
  invoke: () => import('./invoke.ts'),
  neighbours: () => import('./neighbours.ts'),
  scale: () => import('./scale.ts'),
  steps: () => import('./steps.ts'),
  store: () => import('./store.ts'),
}

const [name = '', ...args] = process.argv.slice(2)
const load = BENCHMARKS[name]
if (load === undefined) {
  console.error(`usage: npm run bench -- <${Object.keys(BENCHMARKS).join('|')}>`)
  process.exitCode = 2
} else {
  await (await load()).run(args)
}

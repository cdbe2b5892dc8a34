/**
 * The modules of the server, loaded only by commands that are one: they take longer to load than most other commands
 * take to run.
 */
import type * as Config from '../functions/config.ts'
import type * as Embedding from '../index.ts'

export async function serverModules(): Promise<
  Pick<typeof Embedding, 'startPerdure'> & Pick<typeof Config, 'declarationsFromPaths' | 'loadConfig'>
> {
  const [{ startPerdure }, { declarationsFromPaths, loadConfig }] = await Promise.all([
    import('../index.ts'),
    import('../functions/config.ts'),
  ])
  return { startPerdure, declarationsFromPaths, loadConfig }
}

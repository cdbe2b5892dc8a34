/** The deploying, loaded only by the commands that deploy: with its parsers it takes longer to load than others to run. */
import type * as Deploying from '../../deploy/index.ts'

export const deploying = (): Promise<typeof Deploying> => import('../../deploy/index.ts')

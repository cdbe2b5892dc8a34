/** The table of families of runtimes, and how a version of a function is started with the one that it names. */
import { type Launch, LaunchRefusal } from '../launch.ts'
import { familyOf, type RuntimeFamily } from '../registry/runtimes.ts'
import type { Deployment, Family, RuntimeSite } from './family.ts'
import { java } from './java.ts'
import { node } from './node.ts'
import { createPrograms, type Programs } from './programs.ts'
import { provided } from './provided.ts'
import { python } from './python.ts'

const notRun = (runtime: string): string =>
  `This server does not run ${runtime}. Deploy the function for provided.al2023, with an executable "bootstrap" that starts its own runtime.`

const other: Family = {
  missing: async (runtime) => notRun(runtime),
  launch: async ({ runtime }) => {
    throw new LaunchRefusal('Runtime.InvalidEntrypoint', notRun(runtime))
  },
}

const FAMILIES: Readonly<Record<RuntimeFamily, Family>> = { node, python, java, provided, other }

/** What is to be installed before functions of the runtime can run on this machine; undefined when nothing is missing. */
export function missingRuntime(runtime: string, programs: Programs = createPrograms()): Promise<string | undefined> {
  return FAMILIES[familyOf(runtime)].missing(runtime, programs)
}

export function launchDeployment(deployment: Deployment, site: RuntimeSite): Promise<Launch> {
  return FAMILIES[familyOf(deployment.runtime)].launch(deployment, site)
}

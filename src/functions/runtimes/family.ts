/** What a family of runtimes is made of: one row of the table in `runtimes.ts`. */
import { delimiter } from 'node:path'
import type { Isolation } from '../isolation/isolation.ts'
import type { Launch, Mount } from '../launch.ts'
import type { NodeBootstrap } from './node-process.ts'
import type { Programs } from './programs.ts'

export interface Family {
  /** What is to be installed before functions of the runtime can run here; undefined when nothing is missing. */
  missing(runtime: string, programs: Programs): Promise<string | undefined>
  /** Rejects with a `LaunchRefusal` when the package cannot be started. */
  launch(deployment: Deployment, site: RuntimeSite): Promise<Launch>
}

/** Where the parts of a deployment are. */
export interface Parts {
  readonly taskRoot: string
  /** What `/opt` is on the real service: its layers, unpacked over each other. Absent: it has none. */
  readonly layersRoot: string | undefined
}

/** A version of a function whose package is unpacked. */
export interface Deployment extends Parts {
  readonly runtime: string
  /** As it was given, in the form that the runtime wants. */
  readonly handler: string
  /** The parts as its processes see them. */
  readonly seen: Parts
  readonly mounts: readonly Mount[]
  readonly temporaryMb: number
  readonly memoryMb: number
  /** Variables that follow from the configuration of the function. */
  readonly defaults: Readonly<Record<string, string>>
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>
}

/** What the server has for its runtimes. */
export interface RuntimeSite {
  readonly programs: Programs
  readonly bootstrap: NodeBootstrap
  /** The file of our bootstrap for Python, and where processes see it. */
  readonly pythonBootstrap: Mount
  readonly isolation: Isolation
  /** Debuggers may attach. */
  readonly inspect: boolean
}

/**
 * Where every runtime looks for libraries and programs (spec 10 §10.2). Libraries: at the root of the package and in its
 * `lib`, then in the layers, before those of the machine. Programs: in the layers, after those of the machine.
 */
export function searchPaths(parts: Parts, { inherited }: Isolation): Readonly<Record<string, string>> {
  const { taskRoot } = parts
  const libraries = [taskRoot, `${taskRoot}/lib`, ...inLayers(parts, 'lib'), inherited['LD_LIBRARY_PATH']]
  const programs = inLayers(parts, 'bin')
  return {
    LD_LIBRARY_PATH: pathOf(libraries),
    ...(programs.length === 0 ? undefined : { PATH: pathOf([inherited['PATH'], ...programs]) }),
  }
}

/** Folders of the layers, whether they are there or not; none without layers. */
export function inLayers({ layersRoot }: Pick<Parts, 'layersRoot'>, ...folders: readonly string[]): readonly string[] {
  return layersRoot === undefined ? [] : folders.map((folder) => `${layersRoot}/${folder}`)
}

/** As variables list folders; those that are not there are left out. */
export const pathOf = (folders: readonly (string | undefined)[]): string => folders.filter(Boolean).join(delimiter)

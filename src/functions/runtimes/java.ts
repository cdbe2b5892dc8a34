/** `java*`: the official runtime interface client, from the package or from a configured folder, under a Java of this machine. */
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LaunchRefusal } from '../launch.ts'
import { type Family, inLayers, type Parts, searchPaths } from './family.ts'
import type { Programs } from './programs.ts'

const mainClass = 'com.amazonaws.services.lambda.runtime.api.client.AWSLambda'
const clientJar = /^aws-lambda-java-runtime-interface-client.*\.jar$/

/** The heap gets this share of the memory; the machine itself needs some. */
const heapShare = 0.8

type Found = { readonly path: string; readonly home: string | undefined } | { readonly problem: string }

async function javaOf(runtime: string, { configured, find }: Programs): Promise<Found> {
  const wanted = Number(/^java(\d+)/.exec(runtime)?.[1])
  const install = `Install a JDK or JRE of version ${wanted} or later.`
  const question = ['-XshowSettings:properties', '-version']
  const found = await find([configured[runtime] ?? configured['java'] ?? 'java'], question)
  if (found === undefined) return { problem: `${runtime} needs Java, and the server finds none. ${install}` }
  // `"1.8.0_402"` is version 8, `"21.0.2"` is 21.
  const [, version] = /version "(?:1\.)?(\d+)/.exec(found.answer) ?? []
  const [, home] = /^\s*java\.home = (.*)$/m.exec(found.answer) ?? []
  if (Number(version) >= wanted) return { path: found.path, home }
  return { problem: `${runtime} needs Java ${wanted}, and the server finds version ${version}. ${install}` }
}

export const java: Family = {
  missing: async (runtime, programs) => {
    const found = await javaOf(runtime, programs)
    return 'problem' in found ? found.problem : undefined
  },
  launch: async (deployment, { programs, isolation }) => {
    const { runtime, handler, memoryMb, defaults, environment, mounts, temporaryMb, seen } = deployment
    const { taskRoot } = seen
    const found = await javaOf(runtime, programs)
    if ('problem' in found) throw new LaunchRefusal('Runtime.InvalidEntrypoint', found.problem)
    const folder = programs.configured['java-client']
    if (!hasClient(deployment) && folder === undefined) {
      throw new LaunchRefusal(
        'Runtime.InvalidEntrypoint',
        'Neither the package nor a layer contains the runtime interface client: add com.amazonaws:aws-lambda-java-runtime-interface-client to the dependencies.',
      )
    }
    const own = [taskRoot, join(taskRoot, 'lib', '*'), ...inLayers(seen, 'java/lib/*')]
    const parts = [...own, ...(folder === undefined ? [] : [join(folder, '*')])]
    const classPath = parts.join(delimiter)
    const heapMb = Math.max(32, Math.floor(memoryMb * heapShare))
    return {
      command: found.path,
      args: [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, mainClass, handler],
      lines: 'none',
      mounts: [
        ...mounts,
        ...[found.home, folder].flatMap((each) => (each === undefined ? [] : { from: each, at: each })),
      ],
      temporaryMb,
      taskRoot,
      runtimeDirectory: folder ?? taskRoot,
      handler,
      runtime,
      defaults: { CLASSPATH: classPath, ...searchPaths(seen, isolation), ...defaults },
      environment,
    }
  },
}

/** As a library, or as classes in a package that holds everything. */
function hasClient(parts: Parts): boolean {
  const { taskRoot } = parts
  const folders = [join(taskRoot, 'lib'), ...inLayers(parts, 'java/lib')]
  const libraries = folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
  return (
    libraries.some((name) => clientJar.test(name)) ||
    existsSync(join(taskRoot, `${mainClass.replaceAll('.', '/')}.class`))
  )
}

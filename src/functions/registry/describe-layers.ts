/** Layers as the answers of the API show them. Where the code of one lies is for the server to say. */
import { layerArn, type Place } from '../../protocol/arn.ts'
import { lastModifiedText } from './describe.ts'
import type { LayerRecord, StoredLayerVersion } from './layer-record.ts'

/** In a list. */
export function listedLayerVersion(of: StoredLayerVersion, name: string, place: Place) {
  const { version, createdAt, description, runtimes, architectures, license } = of
  return {
    LayerVersionArn: layerArn(place, name, version),
    Version: version,
    Description: description,
    CreatedDate: lastModifiedText(createdAt),
    ...(runtimes === undefined ? undefined : { CompatibleRuntimes: runtimes }),
    ...(architectures === undefined ? undefined : { CompatibleArchitectures: architectures }),
    ...(license === undefined ? undefined : { LicenseInfo: license }),
  }
}

/** On its own. */
export function describedLayerVersion(of: StoredLayerVersion, name: string, place: Place) {
  const { sha256, bytes } = of.code
  return {
    Content: { CodeSha256: sha256, CodeSize: bytes },
    LayerArn: layerArn(place, name),
    ...listedLayerVersion(of, name, place),
  }
}

interface Compatible {
  readonly CompatibleRuntime?: string
  readonly CompatibleArchitecture?: string
}

/** Those that say that they suit, the newest first; without a question all of them. */
export function matchingVersions(
  { versions }: LayerRecord,
  { CompatibleRuntime: runtime, CompatibleArchitecture: architecture }: Compatible,
): readonly StoredLayerVersion[] {
  return versions
    .filter(
      ({ runtimes, architectures }) =>
        (runtime === undefined || runtimes?.includes(runtime) === true) &&
        (architecture === undefined || architectures?.some((each) => each === architecture) === true),
    )
    .toReversed()
}

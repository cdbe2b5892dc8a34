/** The operations on layers: which command each one is, on which record, and how its answer looks. */
import { layerArn, type Place, parseLayerArn } from '../../protocol/arn.ts'
import type { LAYER_OPERATIONS } from '../../protocol/layer-operations.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { pageOf } from '../../protocol/pages.ts'
import type { RegistryFacts } from './change.ts'
import { requirePackage } from './code.ts'
import { describedLayerVersion, listedLayerVersion, matchingVersions } from './describe-layers.ts'
import {
  addLayerPermission,
  deleteLayerVersion,
  layerPolicyAt,
  layerVersionAt,
  publishLayer,
  removeLayerPermission,
} from './layers.ts'
import type { Registry } from './registry.ts'

export type LayerAnswers = {
  readonly [Name in keyof typeof LAYER_OPERATIONS]: (
    input: InputOf<Name>,
  ) => object | undefined | Promise<object | undefined>
}

export function createLayerAnswers(
  registry: Pick<Registry, 'layers' | 'withCode'>,
  facts: () => RegistryFacts,
  place: Place,
): LayerAnswers {
  const { layers } = registry
  const described = (name: string, version: number): object =>
    describedLayerVersion(layerVersionAt(layers.get(name), version), name, place)

  return {
    async PublishLayerVersion(input) {
      const { LayerName: name } = input
      const content = await requirePackage(input.Content, 'layer content')
      const published = await registry.withCode(content, (code) =>
        layers.change(name, (record) => publishLayer(record, input, code, facts())),
      )
      return describedLayerVersion(published, name, place)
    },

    GetLayerVersion: ({ LayerName, VersionNumber }) => described(LayerName, VersionNumber),
    GetLayerVersionByArn({ Arn }) {
      const { name = '', version = 1 } = parseLayerArn(Arn) ?? {}
      // That it is an ARN of this place was seen to before, unless it is one of layers that are everybody's.
      return described(layerArn(place, name, version) === Arn ? name : '', version)
    },

    ListLayers(input) {
      const latest = layers.list().flatMap((record) => {
        const [version] = matchingVersions(record, input)
        return version === undefined ? [] : [{ name: record.name, version }]
      })
      const { items, next } = pageOf(latest, ({ name }) => name, input)
      const Layers = items.map(({ name, version }) => ({
        LayerName: name,
        LayerArn: layerArn(place, name),
        LatestMatchingVersion: listedLayerVersion(version, name, place),
      }))
      return { Layers, ...next }
    },

    ListLayerVersions(input) {
      const { LayerName: name } = input
      const record = layers.get(name)
      const versions = record === undefined ? [] : matchingVersions(record, input)
      const { items, next } = pageOf(versions, ({ version }) => newestFirst(version), input)
      return { LayerVersions: items.map((each) => listedLayerVersion(each, name, place)), ...next }
    },

    async DeleteLayerVersion({ LayerName: name, VersionNumber: version }) {
      const none = { v: 1, name, versions: [], lastVersion: 0 }
      if (layers.get(name) === undefined) return deleteLayerVersion(none, version).answer
      return await layers.change(name, (record) => deleteLayerVersion(record ?? none, version))
    },

    async AddLayerVersionPermission(input) {
      const { json, revisionId } = await layers.change(input.LayerName, (record) =>
        addLayerPermission(record, input, facts()),
      )
      return { Statement: json, RevisionId: revisionId }
    },
    RemoveLayerVersionPermission: (input) =>
      layers.change(input.LayerName, (record) => removeLayerPermission(record, input, facts())),
    GetLayerVersionPolicy(input) {
      const { json, revisionId } = layerPolicyAt(layers.get(input.LayerName), input, place)
      return { Policy: json, RevisionId: revisionId }
    },
  }
}

/** Pages go up: a higher number is to come first. */
const newestFirst = (version: number): string => String(Number.MAX_SAFE_INTEGER - version).padStart(16)

/** AWS::Serverless::LayerVersion and AWS::Lambda::LayerVersion. */
import { structure, text } from '../protocol/constraints.ts'
import { DESCRIPTION } from '../protocol/function-constraints.ts'
import {
  COMPATIBLE_ARCHITECTURES,
  COMPATIBLE_RUNTIMES,
  LAYER_NAME,
  LICENSE_INFO,
} from '../protocol/layer-constraints.ts'
import type { DesiredLayer } from './desired.ts'
import type { FunctionSite } from './function-resources.ts'
import { layerSource } from './package-source.ts'
import { TemplateProblem } from './problem.ts'
import { type FieldsNode, fieldsNode } from './template/node.ts'
import type { Resource } from './template/template.ts'
import { readValue } from './values.ts'

export type LayerType = 'AWS::Serverless::LayerVersion' | 'AWS::Lambda::LayerVersion'

export const isLayer = (type: string): type is LayerType =>
  type === 'AWS::Serverless::LayerVersion' || type === 'AWS::Lambda::LayerVersion'

const LAYER = structure({
  LayerName: { constraint: LAYER_NAME },
  Description: { constraint: DESCRIPTION },
  CompatibleRuntimes: { constraint: COMPATIBLE_RUNTIMES },
  CompatibleArchitectures: { constraint: COMPATIBLE_ARCHITECTURES },
  LicenseInfo: { constraint: LICENSE_INFO },
  /** Of SAM, and of no use here: versions are kept, and published when they differ. */
  RetentionPolicy: { constraint: text(0, 20) },
  PublishLambdaVersion: { constraint: text(0, 10) },
})

/** Throws a `TemplateProblem`. */
export function readLayer(resource: Resource, type: LayerType, site: FunctionSite): DesiredLayer {
  const { logicalId, place } = resource
  const value = site.template.evaluate(resource.properties)
  const properties: FieldsNode = value?.kind === 'fields' ? value : fieldsNode(place, [])
  const name = type === 'AWS::Serverless::LayerVersion' ? 'ContentUri' : 'Content'
  const content = properties.fields.get(name)?.value
  if (content === undefined) {
    throw new TemplateProblem(place, `the layer ${logicalId} has no ${name}`, 'give it the folder of what is in it')
  }
  const rest = { ...properties, fields: new Map([...properties.fields].filter(([each]) => each !== name)) }
  const {
    layerName: _name,
    retentionPolicy: _policy,
    publishLambdaVersion: _publish,
    ...members
  } = readValue(LAYER, rest, logicalId)
  return {
    logicalId,
    place,
    name: site.template.layerName(resource),
    members,
    ...layerSource(resource, content, name, site),
  }
}

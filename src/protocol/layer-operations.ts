/** The rows of the operations table (`operations.ts`) on layers: what several functions have in common, in versions. */
import { MARKER } from './constraints.ts'
import { COMMON_ERRORS, type ErrorName } from './errors.ts'
import { DESCRIPTION, STATEMENT_ID } from './function-constraints.ts'
import {
  ARCHITECTURE,
  COMPATIBLE_ARCHITECTURES,
  COMPATIBLE_RUNTIMES,
  LAYER_ACTION,
  LAYER_CONTENT,
  LAYER_NAME,
  LAYER_PAGE,
  LAYER_PRINCIPAL,
  LAYER_REVISION,
  LAYER_RUNTIME,
  LAYER_VERSION_ARN,
  LAYER_VERSION_NUMBER,
  LICENSE_INFO,
  ORGANIZATION_ID,
} from './layer-constraints.ts'
import type { OperationSpec } from './operations.ts'

const layerName = { in: 'path', constraint: LAYER_NAME, required: true } as const
const versionNumber = { in: 'path', constraint: LAYER_VERSION_NUMBER, required: true } as const
const revision = { in: 'query', wireName: 'RevisionId', constraint: LAYER_REVISION } as const
const pageOfCompatible = {
  CompatibleRuntime: { in: 'query', constraint: LAYER_RUNTIME },
  CompatibleArchitecture: { in: 'query', constraint: ARCHITECTURE },
  Marker: { in: 'query', constraint: MARKER },
  MaxItems: { in: 'query', constraint: LAYER_PAGE },
} as const

const COMMON = [...COMMON_ERRORS, 'ResourceNotFoundException'] as const satisfies readonly ErrorName[]
const REVISED = [
  ...COMMON,
  'ResourceConflictException',
  'PreconditionFailedException',
] as const satisfies readonly ErrorName[]

const LAYERS_PATH = '/2018-10-31/layers'
const VERSIONS_PATH = `${LAYERS_PATH}/{LayerName}/versions`
const VERSION_PATH = `${VERSIONS_PATH}/{VersionNumber}`

export const LAYER_OPERATIONS = {
  PublishLayerVersion: {
    name: 'PublishLayerVersion',
    method: 'POST',
    path: VERSIONS_PATH,
    input: {
      LayerName: layerName,
      Content: { in: 'body', constraint: LAYER_CONTENT, required: true },
      Description: { in: 'body', constraint: DESCRIPTION },
      CompatibleRuntimes: { in: 'body', constraint: COMPATIBLE_RUNTIMES },
      CompatibleArchitectures: { in: 'body', constraint: COMPATIBLE_ARCHITECTURES },
      LicenseInfo: { in: 'body', constraint: LICENSE_INFO },
    },
    status: 201,
    errors: [...COMMON, 'CodeStorageExceededException'],
  },
  GetLayerVersion: {
    name: 'GetLayerVersion',
    method: 'GET',
    path: VERSION_PATH,
    input: { LayerName: layerName, VersionNumber: versionNumber },
    status: 200,
    errors: COMMON,
  },
  // Before its sibling of the same path, which asks for nothing in the query.
  GetLayerVersionByArn: {
    name: 'GetLayerVersionByArn',
    method: 'GET',
    path: `${LAYERS_PATH}?find=LayerVersion`,
    input: { Arn: { in: 'query', constraint: LAYER_VERSION_ARN, required: true } },
    status: 200,
    errors: COMMON,
  },
  ListLayers: {
    name: 'ListLayers',
    method: 'GET',
    path: LAYERS_PATH,
    input: pageOfCompatible,
    status: 200,
    errors: COMMON_ERRORS,
  },
  ListLayerVersions: {
    name: 'ListLayerVersions',
    method: 'GET',
    path: VERSIONS_PATH,
    input: { LayerName: layerName, ...pageOfCompatible },
    status: 200,
    errors: COMMON,
  },
  DeleteLayerVersion: {
    name: 'DeleteLayerVersion',
    method: 'DELETE',
    path: VERSION_PATH,
    input: { LayerName: layerName, VersionNumber: versionNumber },
    status: 204,
    errors: COMMON,
  },
  AddLayerVersionPermission: {
    name: 'AddLayerVersionPermission',
    method: 'POST',
    path: `${VERSION_PATH}/policy`,
    input: {
      LayerName: layerName,
      VersionNumber: versionNumber,
      StatementId: { in: 'body', constraint: STATEMENT_ID, required: true },
      Action: { in: 'body', constraint: LAYER_ACTION, required: true },
      Principal: { in: 'body', constraint: LAYER_PRINCIPAL, required: true },
      OrganizationId: { in: 'body', constraint: ORGANIZATION_ID },
      RevisionId: revision,
    },
    status: 201,
    errors: REVISED,
  },
  RemoveLayerVersionPermission: {
    name: 'RemoveLayerVersionPermission',
    method: 'DELETE',
    path: `${VERSION_PATH}/policy/{StatementId}`,
    input: {
      LayerName: layerName,
      VersionNumber: versionNumber,
      StatementId: { in: 'path', constraint: STATEMENT_ID, required: true },
      RevisionId: revision,
    },
    status: 204,
    errors: REVISED,
  },
  GetLayerVersionPolicy: {
    name: 'GetLayerVersionPolicy',
    method: 'GET',
    path: `${VERSION_PATH}/policy`,
    input: { LayerName: layerName, VersionNumber: versionNumber },
    status: 200,
    errors: COMMON,
  },
} as const satisfies Record<string, OperationSpec>

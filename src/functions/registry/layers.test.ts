import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { layerArn, type Place } from '../../protocol/arn.ts'
import type { RegistryFacts } from './change.ts'
import { matchingVersions } from './describe-layers.ts'
import type { LayerRecord, StoredLayerVersion } from './layer-record.ts'
import {
  addLayerPermission,
  deleteLayerVersion,
  layerPolicyAt,
  layerVersionAt,
  publishLayer,
  removeLayerPermission,
  usedLayers,
} from './layers.ts'

const PLACE: Place = { partition: 'aws', region: 'us-east-1', account: '123456789012' }
const CODE = { sha256: 'hash', bytes: 10, unzippedBytes: 20 }
let uuids = 0
const FACTS: RegistryFacts = {
  now: 1_700_000_000_000,
  place: PLACE,
  uuid: () => `revision-${uuids++}`,
  layerCode: (name, version) => (name.startsWith('there') && version === 1 ? CODE : undefined),
}

const publish = (before: LayerRecord | undefined, more: { readonly Description?: string } = {}): LayerRecord =>
  publishLayer(before, { LayerName: 'l', Content: {}, ...more }, CODE, FACTS).record

const numbers = (versions: readonly StoredLayerVersion[]): readonly number[] => versions.map(({ version }) => version)

test('numbers go up and are never used again, also when all versions are deleted', () => {
  const two = publish(publish(undefined), { Description: 'second' })
  assert.deepEqual(numbers(two.versions), [1, 2])
  const none = [2, 1].reduce((record, version) => deleteLayerVersion(record, version).record, two)
  assert.deepEqual(none.versions, [])
  assert.deepEqual(numbers(publish(none).versions), [3])
})

test('deleting a version twice, or one that never was, changes nothing', () => {
  const one = publish(undefined)
  assert.equal(deleteLayerVersion(one, 7).record, one)
  assert.throws(() => deleteLayerVersion(one, 0), { message: 'Layer Version Cannot be less than 1' })
})

test('a version that is not there is not found, a number below 1 is none', () => {
  assert.equal(layerVersionAt(publish(undefined), 1).version, 1)
  for (const [record, version] of [
    [undefined, 1],
    [publish(undefined), 2],
  ] as const) {
    assert.throws(() => layerVersionAt(record, version), {
      name: 'ResourceNotFoundException',
      message: 'The resource you requested does not exist.',
    })
  }
  assert.throws(() => layerVersionAt(undefined, -1), { name: 'InvalidParameterValueException' })
})

const versionFor = (
  version: number,
  runtimes: readonly string[] | undefined,
  architectures?: StoredLayerVersion['architectures'],
): StoredLayerVersion => ({
  version,
  createdAt: 0,
  code: CODE,
  description: '',
  ...(runtimes && { runtimes }),
  ...(architectures && { architectures }),
})
const RECORD: LayerRecord = {
  v: 1,
  name: 'l',
  lastVersion: 3,
  versions: [
    versionFor(1, ['nodejs22.x']),
    versionFor(2, ['nodejs22.x', 'python3.13'], ['arm64']),
    versionFor(3, undefined),
  ],
}
const MATCHING: readonly (readonly [asked: object, numbers: readonly number[]])[] = [
  [{}, [3, 2, 1]],
  [{ CompatibleRuntime: 'nodejs22.x' }, [2, 1]],
  [{ CompatibleRuntime: 'python3.13' }, [2]],
  [{ CompatibleArchitecture: 'arm64' }, [2]],
  [{ CompatibleArchitecture: 'x86_64' }, []],
  [{ CompatibleRuntime: 'nodejs22.x', CompatibleArchitecture: 'arm64' }, [2]],
  [{ CompatibleRuntime: 'ruby3.4' }, []],
]
for (const [asked, expected] of MATCHING) {
  test(`versions that match ${JSON.stringify(asked)}`, () => {
    assert.deepEqual(numbers(matchingVersions(RECORD, asked)), expected)
  })
}

describe('permissions of a version', () => {
  const add = (record: LayerRecord | undefined, more: object = {}) =>
    addLayerPermission(
      record,
      {
        LayerName: 'l',
        VersionNumber: 1,
        StatementId: 's',
        Action: 'lambda:GetLayerVersion',
        Principal: '*',
        ...more,
      },
      FACTS,
    )
  const remove = (record: LayerRecord, more: object = {}) =>
    removeLayerPermission(record, { LayerName: 'l', VersionNumber: 1, StatementId: 's', ...more }, FACTS)
  const policy = (record: LayerRecord | undefined) => layerPolicyAt(record, { LayerName: 'l', VersionNumber: 1 }, PLACE)

  test('are added, shown and removed, each with another revision', () => {
    const one = add(publish(undefined))
    const two = add(one.record, {
      StatementId: 't',
      Principal: '210987654321',
      OrganizationId: 'o-abcdefghij',
      RevisionId: one.answer.revisionId,
    })
    assert.notEqual(two.answer.revisionId, one.answer.revisionId)
    assert.deepEqual(JSON.parse(policy(two.record).json), {
      Version: '2012-10-17',
      Id: 'default',
      Statement: [
        {
          Sid: 's',
          Effect: 'Allow',
          Principal: '*',
          Action: 'lambda:GetLayerVersion',
          Resource: layerArn(PLACE, 'l', 1),
        },
        {
          Sid: 't',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::210987654321:root' },
          Action: 'lambda:GetLayerVersion',
          Resource: layerArn(PLACE, 'l', 1),
          Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } },
        },
      ],
    })
    const none = remove(remove(two.record).record, { StatementId: 't' }).record
    assert.throws(() => policy(none), { message: 'No policy is associated with the given resource.' })
    assert.deepEqual(none, publish(undefined), 'nothing of them is left')
  })

  test('of a version that is not there, under a taken id, or another revision', () => {
    const missing = { message: `Layer version ${layerArn(PLACE, 'l', 1)} does not exist.` }
    assert.throws(() => add(undefined), missing)
    assert.throws(() => policy(undefined), missing)
    const one = add(publish(undefined)).record
    assert.throws(() => add(one), { name: 'ResourceConflictException' })
    const stale = { name: 'PreconditionFailedException', message: /Call the GetLayerPolicy API/ }
    assert.throws(() => add(one, { StatementId: 't', RevisionId: 'stale' }), stale)
    assert.throws(() => remove(one, { RevisionId: 'stale' }), stale)
    const unknown = { message: 'Statement t is not found in resource policy.' }
    assert.throws(() => remove(one, { StatementId: 't' }), unknown)
    assert.throws(() => remove(publish(undefined), { StatementId: 't' }), unknown)
  })
})

describe('the layers of a function', () => {
  const there = (name: string): string => layerArn(PLACE, `there-${name}`, 1)

  test('are found by their ARNs, in order', () => {
    assert.deepEqual(usedLayers([there('b'), there('a')], FACTS), [
      { arn: there('b'), code: CODE },
      { arn: there('a'), code: CODE },
    ])
  })

  const REFUSED: readonly (readonly [title: string, arns: readonly string[], message: string | RegExp])[] = [
    ['six', [...'abcdef'].map(there), 'Cannot reference more than 5 layers.'],
    ['none of that number', [layerArn(PLACE, 'there', 2)], /^Layer version arn:.*:layer:there:2 does not exist\.$/],
    ['none of that name', [layerArn(PLACE, 'nowhere', 1)], /^Layer version arn:.*:layer:nowhere:1 does not exist\.$/],
    ['no number', [layerArn(PLACE, 'there')], /^1 validation error detected: Value '\[arn:.*\]' at 'layers' failed/],
    ['no ARN', ['there:1'], /^1 validation error detected: Value '\[there:1\]' at 'layers' failed/],
    [
      'of another region',
      [layerArn({ ...PLACE, region: 'eu-west-1' }, 'there', 1)],
      'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
    ],
    [
      'of another account',
      [layerArn({ ...PLACE, account: '210987654321' }, 'there', 1)],
      "Layers of account '210987654321' are not reachable here.",
    ],
    [
      'twice the same',
      [there('a'), there('a')],
      /^Two different versions of the same layer are not allowed to be referenced in the same function\. /,
    ],
  ]
  for (const [title, arns, message] of REFUSED) {
    test(`are refused: ${title}`, () => assert.throws(() => usedLayers(arns, FACTS), { message }))
  }
})

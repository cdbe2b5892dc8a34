/** ARNs, tokens and callback ids that are nearly right: nothing may be let in by them, and spelling must not matter. */
import { OPERATIONS, type OperationSpec } from '../../../src/protocol/operations.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { ACCEPTED, type Attack, type Family, REFUSED, type Target, weighted } from '../attack.ts'
import { bytesOf, requestOf } from '../request.ts'

const TOKEN_REFUSED = { outcome: 'refused', types: ['InvalidParameterValueException', 'ValidationException'] } as const

export const identities: Family = (chance, target) =>
  weighted<() => Attack>(chance, [
    [4, () => wrongToken(chance, target)],
    [4, () => wrongArn(chance, target)],
    [3, () => wrongCallback(chance, target)],
    [3, () => otherSpelling(chance, target)],
    [2, () => brokenEscape(chance, target)],
  ])()

function attack(title: string, bytes: Buffer, expected: Attack['expected'], operation: OperationSpec): Attack {
  return { family: 'identities', title: `${operation.name}: ${title}`, bytes, expected, operation }
}

const UPDATES = '[{"Id":"x","Type":"STEP","Action":"START"}]'

function wrongToken(chance: SeededRandom, target: Target): Attack {
  const [title, token] = nearly(target.token, [target.otherToken, target.staleToken, target.callbackId], chance)
  return weighted<() => Attack>(chance, [
    [
      2,
      () =>
        attack(
          `a token ${title}`,
          checkpointWith(target.arn, token, target.port),
          TOKEN_REFUSED,
          OPERATIONS.CheckpointDurableExecution,
        ),
    ],
    [
      1,
      () => {
        const texts = { DurableExecutionArn: [target.arn], CheckpointToken: [token] }
        const operation = OPERATIONS.GetDurableExecutionState
        const bytes = bytesOf(requestOf({ operation, texts, body: undefined }), target.port)
        return attack(`a token ${title}`, bytes, TOKEN_REFUSED, operation)
      },
    ],
  ])()
}

/** With the token that is good for the right one. */
function wrongArn(chance: SeededRandom, target: Target): Attack {
  const [title, arn] = nearly(target.arn, [target.otherArn], chance)
  const named = `an ARN ${title}`
  const send = (operation: OperationSpec, body: string | undefined): Attack => {
    const input = {
      operation,
      texts: { DurableExecutionArn: [arn] },
      body: body === undefined ? undefined : Buffer.from(body),
    }
    return attack(named, bytesOf(requestOf(input), target.port), REFUSED, operation)
  }
  // The other execution may be read, and must not be stopped.
  const another = arn === target.otherArn
  return weighted<() => Attack>(chance, [
    [
      3,
      () =>
        attack(
          named,
          checkpointWith(arn, target.token, target.port),
          TOKEN_REFUSED,
          OPERATIONS.CheckpointDurableExecution,
        ),
    ],
    [another ? 0 : 1, () => send(OPERATIONS.StopDurableExecution, '{}')],
    [another ? 0 : 1, () => send(OPERATIONS.GetDurableExecution, undefined)],
    [another ? 0 : 1, () => send(OPERATIONS.GetDurableExecutionHistory, undefined)],
    [1, () => send(OPERATIONS.DeleteDurableExecution, undefined)],
  ])()
}

function wrongCallback(chance: SeededRandom, target: Target): Attack {
  const [title, id] = nearly(target.callbackId, [target.token], chance)
  const operation = chance.pick([
    OPERATIONS.SendDurableExecutionCallbackSuccess,
    OPERATIONS.SendDurableExecutionCallbackFailure,
    OPERATIONS.SendDurableExecutionCallbackHeartbeat,
  ])
  const body = operation === OPERATIONS.SendDurableExecutionCallbackHeartbeat ? undefined : Buffer.from('{}')
  const bytes = bytesOf(requestOf({ operation, texts: { CallbackId: [id] }, body }), target.port)
  return attack(`an id ${title}`, bytes, REFUSED, operation)
}

/** The right ARN, written in one of the many ways that mean the same. */
function otherSpelling(chance: SeededRandom, target: Target): Attack {
  const operation = OPERATIONS.GetDurableExecution
  const share = chance.fraction()
  const encode = (text: string): string =>
    text.replace(/[^/]/g, (char) => {
      const hex = char.charCodeAt(0).toString(16)
      return chance.chance(share) ? `%${chance.chance(0.5) ? hex : hex.toUpperCase()}` : char
    })
  const slash = chance.pick(['/', '%2F', '%2f'])
  const spelled = (text: string): string => encode(text).replaceAll('/', slash)
  const bytes = bytesOf(
    requestOf({ operation, texts: { DurableExecutionArn: [target.arn] }, body: undefined }, spelled),
    target.port,
  )
  return attack(`another spelling of the ARN, slashes as ${slash}`, bytes, ACCEPTED, operation)
}

function brokenEscape(chance: SeededRandom, target: Target): Attack {
  const operation = chance.pick([
    OPERATIONS.GetDurableExecution,
    OPERATIONS.StopDurableExecution,
    OPERATIONS.CheckpointDurableExecution,
  ])
  const broken = chance.pick(['%!', '%2!', '%zz', '%C0%AF', '%ED%A0%80', '%FF', '%E2%82', '%u0041', '%%41', '%-1'])
  const body = operation.method === 'GET' ? undefined : Buffer.from(`{"CheckpointToken":"${target.token}"}`)
  const request = requestOf({ operation, texts: { DurableExecutionArn: [target.arn] }, body })
  const inQuery = chance.chance(0.4)
  const at = request.target.indexOf('arn') + chance.between(0, 3)
  const spoiled = inQuery
    ? `${request.target}?${chance.pick([`Marker=${broken}`, `${broken}=1`, `a=1&b=x${broken}`])}`
    : request.target.slice(0, at) + broken + request.target.slice(at)
  const bytes = bytesOf({ ...request, target: spoiled }, target.port)
  const named = `the escape ${broken} in the ${inQuery ? 'query' : 'path'}`
  return attack(named, bytes, { outcome: 'refused', types: ['SerializationException'] }, operation)
}

function checkpointWith(arn: string, token: string, port: number): Buffer {
  const operation = OPERATIONS.CheckpointDurableExecution
  const body = Buffer.from(`{"CheckpointToken":${JSON.stringify(token)},"Updates":${UPDATES}}`)
  return bytesOf(requestOf({ operation, texts: { DurableExecutionArn: [arn] }, body }), port)
}

/** Something that is not the text, however like it. */
function nearly(text: string, others: readonly string[], chance: SeededRandom): readonly [title: string, text: string] {
  const at = chance.between(0, text.length - 1)
  const insert = (more: string): string => text.slice(0, at) + more + text.slice(at)
  const [title, changed] = weighted<readonly [title: string, text: string]>(chance, [
    [
      8,
      [
        'with a character changed',
        text.slice(0, at) + chance.pick([...'0123456789abcdefXZ-_:/$+=']) + text.slice(at + 1),
      ],
    ],
    [4, ['with a bit flipped', flipped(text, at, chance)]],
    [3, ['that is cut', text.slice(0, at + 1)]],
    [2, ['that lacks its beginning', text.slice(at)]],
    [2, ['with a character more', insert(chance.pick(['0', 'a', ' ', '\n', '\0', '%', '/', 'é']))]],
    [2, ['with its end twice', text + text.slice(at)]],
    [2, ['of another', chance.pick(others)]],
    [1, ['in capitals', text.toUpperCase()]],
    [1, ['with a blank', chance.chance(0.5) ? ` ${text}` : `${text} `]],
    [1, ['that is encoded twice', encodeURIComponent(insert('/'))]],
    [1, ['of zeros', text.replace(/[0-9a-f]{12,}/g, (hex) => '0'.repeat(hex.length))]],
  ])
  return changed === text || changed === '' ? ['with a character more', `${text}0`] : [title, changed]
}

function flipped(text: string, at: number, chance: SeededRandom): string {
  const code = text.charCodeAt(at) ^ (1 << chance.between(0, 6))
  return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
}

/** Valid requests with one to three members that are at the edge of what they may be, beyond it, or nothing of the kind. */
import type { InputMember, OperationSpec } from '../../../src/protocol/operations.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import type { Attack, Family, Target } from '../attack.ts'
import { expectationOf, LIMITS } from '../oracle.ts'
import { bytesOf, type OperationInput, requestOf } from '../request.ts'
import { ALL_OPERATIONS, bodyOf, soundRequest } from '../sound-requests.ts'
import { hostileJson, hostileText, oddFields, structure } from '../values.ts'

const WITH_MEMBERS = ALL_OPERATIONS.filter(({ input }) => Object.keys(input).length > 0)

export const members: Family = (chance, target) => {
  // The checkpoint has most of the members there are.
  const operation = chance.chance(0.35) ? WITH_MEMBERS[0] : chance.pick(WITH_MEMBERS)
  if (operation === undefined) throw new Error('there are operations')
  return attackMembers(operation, chance, target)
}

function attackMembers(operation: OperationSpec, chance: SeededRandom, target: Target): Attack {
  const sound = soundRequest(operation, target)
  const texts: Record<string, readonly string[]> = { ...sound.texts }
  const fields: Record<string, string> = { ...sound.fields }
  let { raw } = sound
  const all = Object.entries<InputMember>(operation.input)
  const chosen = new Set(Array.from({ length: chance.pick([1, 1, 1, 2, 3]) }, () => chance.pick(all)[0]))
  for (const name of chosen) {
    const member = operation.input[name]
    if (member === undefined) continue
    if (member.in === 'payload') raw = hostileJson(member.constraint, chance)
    else if (member.in === 'body')
      fields[name] = name === 'Updates' ? updates(member, chance) : hostileJson(member.constraint, chance)
    else texts[name] = hostileTexts(name, member, sound.texts[name]?.[0], chance)
  }
  const odd = oddFields(chance)
  const bodyFields = [...Object.entries(fields), ...odd]
  const body =
    Object.keys(fields).length > 0
      ? Buffer.from(structure(bodyFields))
      : bodyOf({ fields, ...(raw === undefined ? {} : { raw }) })
  const input: OperationInput = { operation, texts, body }
  return {
    family: 'members',
    title: `${operation.name}: ${[...chosen].sort().join(', ')}${odd.length > 0 ? ' and one that is unknown' : ''}`,
    bytes: bytesOf(requestOf(input), target.port),
    expected: softened(input, [...chosen]),
    operation,
  }
}

/** Lists of updates are drawn up to their limit and beyond it, too. */
function updates(member: InputMember, chance: SeededRandom): string {
  if (!chance.chance(0.05)) return hostileJson(member.constraint, chance)
  const count = LIMITS.updatesPerCheckpoint + chance.pick([-1, 0, 1, 500])
  return `[${Array.from({ length: count }, () => '{"Id":"a","Type":"STEP","Action":"START"}').join(',')}]`
}

function hostileTexts(
  name: string,
  member: InputMember,
  sound: string | undefined,
  chance: SeededRandom,
): readonly string[] {
  if (member.in === 'query' && member.constraint.kind === 'list') {
    return Array.from({ length: chance.pick([1, 1, 2, 9, 10, 11]) }, () => hostileText(member.constraint, chance))
  }
  // A path without its label is another path, and a header can carry no control characters and no blanks at its ends.
  for (;;) {
    const text =
      name === 'DurableExecutionArn' && chance.chance(0.5)
        ? longArn(sound ?? '', chance)
        : hostileText(member.constraint, chance)
    if (member.in === 'path' && text === '') continue
    if (member.in === 'header' && !/^$|^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text)) continue
    return [text]
  }
}

/** An ARN of a given length: at its limit, below and beyond. */
function longArn(arn: string, chance: SeededRandom): string {
  const length = 1_024 + chance.pick([-1, 0, 1, 1_000])
  const end = arn.lastIndexOf('/')
  return `${arn.slice(0, end)}${'a'.repeat(Math.max(0, length - arn.length))}${arn.slice(end)}`
}

/**
 * What is valid member by member may still be refused with the same error for what it means: a function's name in a
 * reference, a marker, a query of two names, a timeout that only other kinds of functions may have, the name of a layer.
 */
function softened(input: OperationInput, chosen: readonly string[]): Attack['expected'] {
  const expected = expectationOf(input)
  const meaning = ['FunctionName', 'Qualifier', 'Resource', 'Timeout', 'Layers'].some((name) => chosen.includes(name))
  return meaning && expected.outcome === 'either' ? { outcome: 'either', not: ['SerializationException'] } : expected
}

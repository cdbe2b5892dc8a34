/**
 * The two spellings of a member: `DurableExecutionArn` on the wire, `durableExecutionArn` in the values of this client.
 * Names that begin with an abbreviation are listed; all others differ in their first letter.
 */

const IRREGULAR = { KMSKeyArn: 'kmsKeyArn', XAmznTraceId: 'xAmznTraceId' } as const
type Irregular = typeof IRREGULAR

export type MemberName<Name extends string> = Name extends keyof Irregular ? Irregular[Name] : Uncapitalize<Name>

const REGULAR_AGAIN = new Map<string, string>(Object.entries(IRREGULAR).map(([wire, member]) => [member, wire]))

/** `DurableExecutionArn` → `durableExecutionArn`, `KMSKeyArn` → `kmsKeyArn` */
export function memberName(wireName: string): string {
  return wireName in IRREGULAR
    ? IRREGULAR[wireName as keyof Irregular]
    : wireName.charAt(0).toLowerCase() + wireName.slice(1)
}

/** `durableExecutionArn` → `DurableExecutionArn`, `kmsKeyArn` → `KMSKeyArn` */
export function wireName(member: string): string {
  return REGULAR_AGAIN.get(member) ?? member.charAt(0).toUpperCase() + member.slice(1)
}

/** A shape of the protocol as this client shows it: the same members, spelt for JavaScript. The names in a map are data. */
export type Spelt<Shape> = Shape extends readonly (infer Element)[]
  ? readonly Spelt<Element>[]
  : Shape extends Uint8Array
    ? Shape
    : Shape extends object
      ? {
          readonly [Name in keyof Shape as Name extends string
            ? string extends Name
              ? Name
              : MemberName<Name>
            : never]: Spelt<Shape[Name]>
        }
      : Shape

/** Members that may be left out may also be given as undefined: what a caller has no value for needs no special case. */
export type Given<Shape> = Shape extends readonly (infer Element)[]
  ? readonly Given<Element>[]
  : Shape extends Uint8Array
    ? Shape
    : Shape extends object
      ? {
          readonly [Name in keyof Shape]: undefined extends Shape[Name]
            ? Given<Shape[Name]> | undefined
            : Given<Shape[Name]>
        }
      : Shape

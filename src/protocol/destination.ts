/**
 * Where a record or an event may be delivered to (spec 02 §2.5): a function, a resource of another service by its ARN,
 * and, beyond the real service, the URL of a webhook. Parsing says what a text means; whether anybody is there is for
 * others to say.
 */
import { DEFAULT_PLACE, type Place, parseFunctionReference } from './arn.ts'

export type Destination =
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'function'; readonly name: string; readonly qualifier: string | undefined }
  /** Of another service, account or region. */
  | { readonly kind: 'elsewhere'; readonly arn: string }

/** What members of the API that name a destination may be; empty takes one away. */
export const DESTINATION_PATTERN = '(|https?://[^\\s]+|kafka://[^\\s]+|arn:[^\\s]+)'

/**
 * Undefined: it has none of these forms.
 *
 *     https://example.com/hook                                → webhook
 *     orders, orders:prod, arn:aws:lambda:…:function:orders   → function
 *     arn:aws:sqs:us-east-1:000000000000:failed               → elsewhere
 */
export function parseDestination(text: string, place: Place): Destination | undefined {
  if (/^https?:/i.test(text)) return URL.canParse(text) ? { kind: 'webhook', url: text } : undefined
  const reference = parseFunctionReference(text)
  if (reference === undefined) return /^(arn:|kafka:\/\/)\S+$/.test(text) ? { kind: 'elsewhere', arn: text } : undefined
  const { name, qualifier, account = place.account, region = place.region } = reference
  if (account !== place.account || region !== place.region) return { kind: 'elsewhere', arn: text }
  return { kind: 'function', name, qualifier }
}

/** Whether it has one of these forms, or is empty. */
export const isDestination = (text: string): boolean =>
  text === '' || parseDestination(text, DEFAULT_PLACE) !== undefined

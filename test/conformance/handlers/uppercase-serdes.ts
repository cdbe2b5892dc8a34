import type { Serdes } from '@aws/durable-execution-sdk-js'

/** Writes a text in upper case, as it is, without JSON around it. */
export const uppercaseSerdes: Serdes<string> = {
  serialize: async (value) => value?.toUpperCase(),
  deserialize: async (data) => data,
}

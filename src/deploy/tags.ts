/**
 * What a stack is, a server remembers: functions carry tags that say whose they are. There is no other state, and so
 * none that can be lost, or disagree.
 */
export const STACK_TAG = 'perdure:stack'
export const LOGICAL_ID_TAG = 'perdure:logical-id'
/** `DeletionPolicy: Retain` of the template that had the function last. */
export const KEPT_TAG = 'perdure:kept'
/** With the name of an alias behind it: the stack made it, and takes it away again. The value is its logical id. */
const ALIAS_TAG = 'perdure:alias:'
/** With the logical id of an AWS::Lambda::Version behind it; the value is the number that was published for it. */
const VERSION_TAG = 'perdure:version:'
const OWN = 'perdure:'

export type Tags = Readonly<Record<string, string>>

export const aliasTag = (name: string): string => `${ALIAS_TAG}${name}`
export const versionTag = (logicalId: string): string => `${VERSION_TAG}${logicalId}`

export const isOwnTag = (key: string): boolean => key.startsWith(OWN)

/** The aliases that the stack made. */
export const ownAliases = (tags: Tags): readonly string[] =>
  Object.keys(tags).flatMap((key) => (key.startsWith(ALIAS_TAG) ? [key.slice(ALIAS_TAG.length)] : []))

export const publishedFor = (tags: Tags, logicalId: string): string | undefined => tags[versionTag(logicalId)]

/**
 * What a store rejects with, named by what the caller may do next.
 *
 * | consequence | what happened | what the caller may do |
 * | --- | --- | --- |
 * | `refused` | this request cannot be stored (malformed, too large); others are not touched | give up this request |
 * | `unavailable` | no room, or somebody else locks the database; nothing of it was written | free space, try again |
 * | `damaged` | what was asked for is not what was once written (one row, or when opening the database); nothing else is touched by it | restore a backup |
 * | `failed` | the database is no longer to be trusted by this process; the fate of the request is unknown | restart |
 * | `closed` | the store was closed; nothing of the request was written | nothing |
 * | `locked` | another process uses the directory | stop it, or use another directory |
 */
export type StoreConsequence = 'refused' | 'unavailable' | 'damaged' | 'failed' | 'closed' | 'locked'

export class StoreError extends Error {
  readonly consequence: StoreConsequence

  constructor(consequence: StoreConsequence, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.consequence = consequence
  }
}

export const storeClosed = (): StoreError =>
  new StoreError('closed', 'The journal is closed: nothing more is accepted.')

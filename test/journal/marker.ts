/** The text of an entry that names its own place, so that it can be recognised in a journal and in a trace of system calls. */
export const markerOf = (executionId: string, seq: number): string => `"marker ${executionId}/${seq}."`

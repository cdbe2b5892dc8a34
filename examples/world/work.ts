import { setTimeout as sleep } from 'node:timers/promises'

/** Stands for a call to some other system that takes a moment and then answers: a warehouse, a bank, a carrier. */
export const work = <T>(ms: number, answer: T): Promise<T> => sleep(ms, answer)

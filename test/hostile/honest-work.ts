/** Honest executions, one after another on several lanes, while the server is under attack: each must end right. */
import type { Scene } from './scene.ts'

const LANES = 4

export function workHonestly(scene: Scene) {
  let over = false
  const faults: string[] = []
  let count = 0
  const work = async (lane: number): Promise<void> => {
    for (let n = lane; !over; n += LANES) {
      const { status, text } = await scene.invoke('honest:$LATEST', { n })
      count += 1
      if (status !== 200 || text !== String(n * 2 + 1))
        faults.push(`honest execution ${n} ended with ${status} ${text}`)
    }
  }
  const lanes = Array.from({ length: LANES }, (_, lane) => work(lane))
  return {
    /** Begins no further one, and waits for those that run. */
    finish: async () => {
      over = true
      await Promise.all(lanes)
      return { count, faults }
    },
  }
}

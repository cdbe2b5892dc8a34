/** What a crash point costs when it is off, which is what everybody pays: the shortest of several long loops. */
import { crashPoint } from '../../src/crash-point.ts'

const CALLS = 20_000_000
const ROUNDS = 5

export function offCostNs(): number {
  let work = 0
  let withPoint = Number.POSITIVE_INFINITY
  let without = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    let began = performance.now()
    for (let call = 0; call < CALLS; call++) {
      crashPoint('round-decided')
      work = (work + call) | 0
    }
    withPoint = Math.min(withPoint, performance.now() - began)
    began = performance.now()
    for (let call = 0; call < CALLS; call++) work = (work + call) | 0
    without = Math.min(without, performance.now() - began)
  }
  // The loops' sum is used, so that neither is left out as dead code.
  return Number.isNaN(work) ? Number.NaN : Math.max(0, ((withPoint - without) * 1e6) / CALLS)
}

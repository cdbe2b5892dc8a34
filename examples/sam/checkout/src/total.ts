import type { Line } from './checkout.ts'

export const total = (lines: readonly Line[]): number =>
  lines.reduce((sum, { quantity, price }) => sum + quantity * price, 0)

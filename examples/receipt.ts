/** A plain function, not durable: it runs to its end in one go. The order workflow calls it like any other function. */

export interface ReceiptRequest {
  readonly orderId: string
  readonly customer: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly price: number }[]
}

export interface Receipt {
  readonly text: string
  readonly total: number
}

export const handler = async (request: ReceiptRequest): Promise<Receipt> => {
  const total = request.lines.reduce((sum, line) => sum + line.quantity * line.price, 0)
  const lines = request.lines.map((line) => `${line.quantity} × ${line.sku} at ${line.price.toFixed(2)}`)
  return {
    text: [`Order ${request.orderId} for ${request.customer}`, ...lines, `Total ${total.toFixed(2)}`].join('\n'),
    total,
  }
}

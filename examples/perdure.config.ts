/**
 * The functions of this folder, as `perdure start --config examples/perdure.config.ts` serves them. Which of them are
 * durable need not be said: those are wrapped by the SDK.
 */
const ledger = process.env['PERDURE_LEDGER']
const environment = ledger === undefined ? {} : { PERDURE_LEDGER: ledger }

export default {
  functions: [
    { name: 'hello', handler: './hello.ts' },
    { name: 'order', handler: './order.ts', environment },
    { name: 'payment', handler: './payment.ts', environment },
    { name: 'receipt', handler: './receipt.ts' },
    { name: 'trip', handler: './trip.ts' },
  ],
}

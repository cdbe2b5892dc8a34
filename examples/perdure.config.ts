/**
 * The functions of this folder, as `perdure start --config examples/perdure.config.ts` serves them. Which of them are
 * durable need not be said: those are wrapped by the SDK. Said is only who may take longer than the 15 minutes that a
 * durable function gets otherwise; such a function is started without waiting for it (`perdure invoke --event`).
 */
const ledger = process.env['PERDURE_LEDGER']
const environment = ledger === undefined ? {} : { PERDURE_LEDGER: ledger }
const daySeconds = 86_400

export default {
  functions: [
    { name: 'hello', handler: './hello.ts' },
    { name: 'order', handler: './order.ts', environment },
    { name: 'payment', handler: './payment.ts', environment },
    { name: 'receipt', handler: './receipt.ts' },
    { name: 'trip', handler: './trip.ts' },
    { name: 'thumbnails', handler: './thumbnails.ts' },
    { name: 'expense', handler: './expense.ts', durable: { ExecutionTimeout: 30 * daySeconds } },
    { name: 'report', handler: './report.ts', durable: { ExecutionTimeout: daySeconds } },
    { name: 'assistant', handler: './assistant.ts' },
    { name: 'nightly', handler: './nightly.ts', durable: { ExecutionTimeout: 366 * daySeconds } },
  ],
}

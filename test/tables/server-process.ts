/**
 * The program of a Perdure server in a process of its own, for tests (`test/start-perdure.ts`): options come as JSON in the first argument, the
 * endpoint goes out as one JSON line, and the server closes when its standard input ends (so it never outlives the test).
 */
import { type PerdureOptions, startPerdure } from '../../src/index.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as PerdureOptions
const perdure = await startPerdure(options)
process.stdout.write(`${JSON.stringify({ endpoint: perdure.endpoint })}\n`)

process.stdin.resume()
process.stdin.once('end', () => {
  perdure.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

// A handler without a will: it hands its invocation to the test over HTTP and does what the test answers. So a test
// holds both ends of an execution, the function's and the client's, and no user code stands between.
import { request } from 'node:http'

/** Asks the puppeteer what to do with this invocation; the answer may take as long as the test likes. */
function ask(event, context) {
  const { promise, resolve, reject } = Promise.withResolvers()
  const body = JSON.stringify({ functionName: context.functionName, requestId: context.awsRequestId, event })
  const call = request(process.env.PUPPETEER, { method: 'POST', agent: false }, (answer) => {
    const chunks = []
    answer.on('data', (chunk) => chunks.push(chunk))
    answer.on('error', reject)
    answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
  })
  call.on('error', reject)
  call.end(body)
  return promise
}

export async function handler(event, context) {
  const { kind, value } = await ask(event, context)
  if (kind === 'exit') process.exit(value)
  if (kind === 'throw') throw Object.assign(new Error(value.message), { name: value.name })
  return value
}

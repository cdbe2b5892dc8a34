/** What to try on the server that the demo leaves running. */
import { DEFAULT_ENDPOINT } from '../command.ts'

export function nextSteps(endpoint: string, name: string): readonly string[] {
  const perdure = `npm run -s perdure --`
  const at = endpoint === DEFAULT_ENDPOINT ? '' : ` --endpoint ${endpoint}`
  return [
    '',
    `The server stays up at ${endpoint}. Try, in another terminal:`,
    '',
    `  ${perdure} executions list${at}`,
    `  ${perdure} executions history ${name}${at}`,
    `  ${perdure} invoke hello --payload '{"name": "Ada"}'${at}`,
    `  ${perdure} invoke trip --payload '{"traveller": "Ada", "fails": "car"}'${at}`,
    '',
    'With the AWS CLI:',
    '',
    `  export AWS_ENDPOINT_URL_LAMBDA=${endpoint} AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any`,
    `  aws lambda invoke --function-name 'hello:$LATEST' /dev/stdout`,
    '  aws lambda list-durable-executions-by-function --function-name order',
    '',
    'With the AWS SDK for JavaScript:',
    '',
    `  const lambda = new LambdaClient({ endpoint: '${endpoint}', region: 'us-east-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' } })`,
    `  await lambda.send(new InvokeCommand({ FunctionName: 'hello', Qualifier: '$LATEST', Payload: '{"name": "Ada"}' }))`,
    '',
    'Ctrl-C stops it. What has not ended by then goes on at the next start.',
  ]
}

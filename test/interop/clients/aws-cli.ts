/** The AWS CLI as a user types it, and the life of a function with it. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../docs/installed.ts'
import { eventually } from '../../tables/eventually.ts'
import type { Life, Refusal } from '../life.ts'
import { ROLE } from '../served.ts'

/** What the CLI prints, as far as it is looked at. */
type Answer = Readonly<Record<string, unknown>>

export class AwsCli {
  readonly #program: string
  readonly #environment: NodeJS.ProcessEnv
  readonly folder: string

  constructor(bin: string, endpoint: string, folder: string) {
    this.#program = join(bin, 'aws')
    this.folder = folder
    const config = join(folder, 'aws-config')
    writeFileSync(config, '[default]\ncli_timestamp_format = iso8601\n')
    this.#environment = {
      PATH: process.env['PATH'],
      // Nobody's own settings.
      HOME: folder,
      AWS_CONFIG_FILE: config,
      AWS_ENDPOINT_URL_LAMBDA: endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_MAX_ATTEMPTS: '1',
      AWS_PAGER: '',
    }
  }

  async run(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
    return await run(this.#program, ['lambda', ...args], this.folder, this.#environment)
  }

  /** As it is printed; the test fails with what the CLI complains of. */
  async text(...args: readonly string[]): Promise<string> {
    const { code, out } = await this.run(...args)
    if (code !== 0) throw new Error(`aws lambda ${args.join(' ')}: ${out}`)
    return out
  }

  async json(...args: readonly string[]): Promise<Answer> {
    const out = await this.text(...args)
    return out.trim() === '' ? {} : (JSON.parse(out) as Answer)
  }

  /** The CLI tells no HTTP status. */
  async refusal(...args: readonly string[]): Promise<Refusal> {
    const { code, out } = await this.run(...args)
    const [, name = `exit ${code}`, text = out] =
      /An error occurred \((\w+)\) when calling the \w+ operation: (.*)/s.exec(out) ?? []
    return [name, undefined, text.trim()]
  }

  /** Also gives what the function answered, which the CLI writes to a file. */
  async invoke(...args: readonly string[]): Promise<Answer & { readonly answer: unknown }> {
    const told = await this.json('invoke', ...args, 'answer.json')
    const written = readFileSync(join(this.folder, 'answer.json'), 'utf8')
    return { ...told, answer: written === '' ? undefined : JSON.parse(written) }
  }
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('base64')

export async function lifeWithAwsCli(cli: AwsCli, [one, two]: readonly [string, string]): Promise<Life> {
  const ofOrders = ['--function-name', 'orders']
  const ofLive = ['--function-name', 'orders:live']
  const creation = (name: string, handler: string, ...more: readonly string[]) => [
    ...['create-function', '--function-name', name, '--role', ROLE, '--runtime', 'nodejs24.x'],
    ...['--handler', handler, '--zip-file', `fileb://${one}`, '--environment', 'Variables={STAGE=test}', ...more],
  ]
  const createOrders = creation(
    ...(['orders', 'index.handler'] as const),
    ...['--durable-config', 'ExecutionTimeout=600,RetentionPeriodInDays=1'],
  )

  const created = await cli.json(...createOrders)
  await cli.text('wait', 'function-exists', ...ofOrders)
  await cli.text('wait', 'function-active-v2', ...ofOrders)

  await cli.json('update-function-configuration', ...ofOrders, '--timeout', '20', '--description', 'of orders')
  await cli.text('wait', 'function-updated-v2', ...ofOrders)
  await cli.json('update-function-code', ...ofOrders, '--zip-file', `fileb://${two}`)
  await cli.text('wait', 'function-updated-v2', ...ofOrders)
  const updated = (await cli.json('get-function', ...ofOrders))['Configuration'] as Answer

  const published = await cli.json('publish-version', ...ofOrders)
  await cli.text('wait', 'published-version-active', ...ofOrders, '--qualifier', String(published['Version']))
  const version = ['--function-version', String(published['Version'])]
  const alias = await cli.json('create-alias', ...ofOrders, '--name', 'live', ...version)
  const { Versions: versions } = await cli.json('list-versions-by-function', ...ofOrders, '--page-size', '1')

  const start = async (name: string, ...more: readonly string[]) =>
    await cli.invoke(...ofLive, '--durable-execution-name', name, ...more)
  const first = await start('first', '--payload', '{"name": "Ada"}')
  writeFileSync(join(cli.folder, 'large.json'), JSON.stringify({ name: 'Ada', padding: 'p'.repeat(5_000_000) }))
  const large = await start('large', '--payload', 'fileb://large.json')

  writeFileSync(join(cli.folder, 'approval.json'), '{"name": "Ada", "approval": true}')
  const waiting = ['--invocation-type', 'Event', '--payload', 'file://approval.json']
  const execution = ({ DurableExecutionArn: arn }: Answer) => ['--durable-execution-arn', String(arn)]
  const history = async (started: Answer) => {
    const told = await cli.json('get-durable-execution-history', ...execution(started), '--page-size', '2')
    return told['Events'] as readonly Answer[]
  }
  const callback = async (started: Answer) =>
    await eventually('the callback', async () => {
      const event = (await history(started)).find(({ EventType: type }) => type === 'CallbackStarted')
      const details = event?.['CallbackStartedDetails'] as Answer | undefined
      return details === undefined ? undefined : ['--callback-id', String(details['CallbackId'])]
    })
  const closed = async (started: Answer) =>
    await eventually('the end', async () => {
      const told = await cli.json('get-durable-execution', ...execution(started))
      return told['Status'] === 'RUNNING' ? undefined : told
    })

  const approved = await start('approved', ...waiting)
  const approval = await callback(approved)
  await cli.json('send-durable-execution-callback-heartbeat', ...approval)
  await cli.json('send-durable-execution-callback-success', ...approval, '--result', '"Grace"')
  const ended = await closed(approved)
  const [begun, over] = ['StartTimestamp', 'EndTimestamp'].map((member) => Date.parse(String(ended[member])))

  const refused = await start('refused', ...waiting)
  const tooDear = ['--error', 'ErrorType=Refused,ErrorMessage=too dear']
  await cli.json('send-durable-execution-callback-failure', ...(await callback(refused)), ...tooDear)
  const refusal = await closed(refused)

  const stopped = await start('stopped', ...waiting)
  await callback(stopped)
  const enough = ['--error', 'ErrorType=Operator,ErrorMessage=enough']
  await cli.json('stop-durable-execution', ...execution(stopped), ...enough)
  const stop = await closed(stopped)

  const names = async (...more: readonly string[]) => {
    const list = ['list-durable-executions-by-function', ...ofOrders, '--qualifier', 'live', '--page-size', '2']
    const told = (await cli.json(...list, ...more))['DurableExecutions'] as readonly Answer[]
    return told.map(({ DurableExecutionName: name }) => String(name))
  }

  await cli.json(...creation('plain', 'index.plain'))
  const greet = async (name: string) =>
    await cli.invoke('--function-name', 'plain', '--log-type', 'Tail', '--payload', JSON.stringify({ name }))
  const [greeted, failed] = [await greet('Ada'), await greet('')]

  return {
    created: {
      arn: String(created['FunctionArn']),
      version: String(created['Version']),
      isOne: created['CodeSha256'] === sha256(one),
      durable: created['DurableConfig'],
    },
    updated: {
      timeout: Number(updated['Timeout']),
      description: String(updated['Description']),
      state: String(updated['State']),
      lastUpdate: String(updated['LastUpdateStatus']),
      isTwo: updated['CodeSha256'] === sha256(two),
    },
    published: {
      version: String(published['Version']),
      alias: String(alias['AliasArn']),
      versions: (versions as readonly Answer[]).map(({ Version: version }) => String(version)),
    },
    invoked: {
      status: Number(first['StatusCode']),
      version: String(first['ExecutedVersion']),
      result: first.answer,
      execution: String(first['DurableExecutionArn']),
    },
    large: large.answer,
    approved: {
      accepted: Number(approved['StatusCode']),
      status: String(ended['Status']),
      result: JSON.parse(String(ended['Result'])),
      input: JSON.parse(String(ended['InputPayload'])),
      seconds: (Number(over) - Number(begun)) / 1_000,
      sinceStart: (Date.now() - Number(begun)) / 1_000,
      history: (await history(approved)).map(({ EventType: type }) => String(type)),
    },
    refused: {
      status: String(refusal['Status']),
      message: String((refusal['Error'] as Answer)['ErrorMessage']),
    },
    stopped: { status: String(stop['Status']), error: stop['Error'] },
    listed: { all: await names('--reverse-order'), ended: await names('--statuses', 'FAILED', 'STOPPED') },
    plain: {
      result: String(greeted.answer),
      log: Buffer.from(String(greeted['LogResult']), 'base64').toString(),
      failed: String(failed['FunctionError']),
      error: String((failed.answer as Answer)['errorMessage']),
    },
    refusals: {
      again: await cli.refusal(...createOrders),
      unknown: await cli.refusal('get-function', '--function-name', 'nobody'),
      nameTaken: await cli.refusal(
        ...['invoke', ...ofLive, '--durable-execution-name', 'first', '--payload', '{"name": "Grace"}', 'none.json'],
      ),
      unqualified: await cli.refusal('invoke', ...ofOrders, 'none.json'),
      notJson: await cli.refusal('invoke', ...ofLive, '--payload', '{', 'none.json'),
      callbackOver: await cli.refusal('send-durable-execution-callback-success', ...approval),
      pointedTo: await cli.refusal('delete-function', ...ofOrders, '--qualifier', '1'),
      changedMeanwhile: await cli.refusal(
        ...['update-function-configuration', ...ofOrders, '--timeout', '9'],
        ...['--revision-id', String(created['RevisionId'])],
      ),
    },
    deleted: await deletion(cli, ofOrders),
  }
}

async function deletion(cli: AwsCli, ofOrders: readonly string[]): Promise<Refusal> {
  await cli.json('delete-alias', ...ofOrders, '--name', 'live')
  await cli.json('delete-function', ...ofOrders)
  return await cli.refusal('get-function', ...ofOrders)
}

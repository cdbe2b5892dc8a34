/**
 * `perdure worker`: runs the processes of a function that a server elsewhere hands invocations to, until it is told to
 * stop.
 */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RunningWorker, StartWorkerOptions, WorkerCode } from '../../worker.ts'
import { DEFAULT_ENDPOINT, defineCommand, wholeNumber } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import { aborted } from '../pause.ts'
import { counted } from '../render/amounts.ts'
import { logLine } from '../render/log-line.ts'
import { serverFailure } from '../server-failure.ts'

type News = Parameters<StartWorkerOptions['tell']>[0]

export const worker = defineCommand({
  name: 'worker',
  summary: 'Run a function here for a server elsewhere: in a container, on another host, under a debugger',
  operands: '(<file> | -- <command>)',
  operandCount: [1, Number.POSITIVE_INFINITY],
  options: {
    function: { type: 'string', short: 'f', value: '<name>', help: 'Function to run; the server must have it' },
    qualifier: { type: 'string', short: 'q', value: '<version>', help: 'Which version (default $LATEST)' },
    server: {
      type: 'string',
      value: '<url>',
      help: `Server to work for (PERDURE_ENDPOINT; default ${DEFAULT_ENDPOINT})`,
    },
    concurrency: { type: 'string', value: '<count>', help: 'Processes to run, 1 to 1000 (default 1)' },
    export: { type: 'string', value: '<name>', help: 'Which export of the file is the handler (default handler)' },
    name: {
      type: 'string',
      value: '<name>',
      help: 'What the server calls this worker (default host name and process id)',
    },
    header: {
      type: 'string',
      multiple: true,
      value: '<name: value>',
      help: 'Header for a proxy in front of the server; can be repeated',
    },
    'no-timeout': { type: 'boolean', help: 'Invocations have no time limit, as a debugger needs' },
    inspect: { type: 'boolean', help: 'Let debuggers attach to the processes of the file; includes --no-timeout' },
    json: { type: 'boolean', help: 'Print a JSON line whenever it is attached; all else goes to standard error' },
  },
  notes: [
    'A file is run as the server runs handlers. A command must speak the Runtime API of AWS Lambda: it is given',
    'AWS_LAMBDA_RUNTIME_API and all other variables of Lambda, and is started again whenever it ends.',
    'SIGINT and SIGTERM drain: no new invocations, those that run may end. A worker that loses its server goes on trying.',
  ],
  examples: [
    'perdure worker --function orders orders.ts --concurrency 4',
    'perdure worker --function orders --server https://perdure.example.com -- node app.js',
    'perdure worker --function orders orders.ts --inspect',
  ],
  async run({ values, operands, behindDashes, terminal, env, cwd, stopSignal }) {
    const functionName = values.function
    if (functionName === undefined) throw usageFailure('worker: --function is missing', 'name it: --function orders')
    const server = serverOf(values.server ?? (env['PERDURE_ENDPOINT'] || DEFAULT_ENDPOINT))
    const code = codeOf(operands, behindDashes, values.export, cwd)
    if (values.inspect === true && code.kind === 'command') {
      throw usageFailure('worker: --inspect is for files', 'write -- node --inspect app.js, and give --no-timeout')
    }
    const processes = wholeNumber('concurrency', values.concurrency, 1, 1_000)
    const stop = stopSignal()
    const isJson = values.json === true
    let running: RunningWorker
    try {
      const { startWorker } = await import('../../worker.ts')
      running = await startWorker({
        server,
        headers: headersOf(values.header ?? []),
        functionName,
        code,
        ...(values.qualifier !== undefined && { qualifier: values.qualifier }),
        ...(values.name !== undefined && { name: values.name }),
        ...(processes !== undefined && { processes }),
        noTimeout: values['no-timeout'] === true,
        inspect: values.inspect === true,
        printed: (record) => {
          if (isJson) terminal.err(logLine(record, terminal.paintErr))
          else terminal.out(logLine(record, terminal.paint))
        },
        tell: (news) => {
          if (isJson && news.kind === 'attached') terminal.out(JSON.stringify({ attached: news.settings.version.arn }))
          else terminal.err(`perdure: ${sentence(news, server)}`)
        },
      })
    } catch (error) {
      throw serverFailure(error, {}, 'the worker was not started')
    }
    void aborted(stop).then(() => {
      terminal.err('perdure: stopping; what runs may end first')
      running.drain()
    })
    try {
      await running.ended
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AttachRefused') throw error
      throw new CliFailure({
        cause: `the server at ${server.origin} refuses the worker: ${error.message}`,
        consequence: 'it has ended',
        fix: '"perdure functions list" shows the functions that there are; workers and server must be of the same version',
      })
    }
    return EXIT.ok
  },
})

function serverOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageFailure(`"${text}" is not an http or https URL`, `write --server as ${DEFAULT_ENDPOINT}`)
  }
  return url
}

function codeOf(
  operands: readonly string[],
  behindDashes: readonly string[],
  exportName: string | undefined,
  cwd: string,
): WorkerCode {
  const [command, ...args] = behindDashes
  if (command !== undefined) {
    if (operands.length > behindDashes.length || exportName !== undefined) {
      throw usageFailure('worker: there are both a file and a command', 'leave one of them out')
    }
    return { kind: 'command', command, args, directory: cwd }
  }
  const [file = '', surplus] = operands
  if (surplus !== undefined) {
    throw usageFailure(`worker: unexpected argument "${surplus}"`, 'a command goes behind two dashes: -- node app.js')
  }
  const path = resolve(cwd, file)
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new CliFailure({
      cause: `there is no file ${path}`,
      consequence: 'the worker was not started',
      fix: 'correct the path; a command goes behind two dashes: -- node app.js',
    })
  }
  return { kind: 'module', file: path, exportName }
}

function headersOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\x20-\x7e]*)$/.exec(text) ?? []
      if (name === undefined || value === undefined) {
        throw usageFailure(`--header "${text}" is no header`, "write it as --header 'Authorization: Bearer …'")
      }
      return [name, value]
    }),
  )
}

function sentence(news: News, server: URL): string {
  switch (news.kind) {
    case 'attached': {
      const { name, version } = news.settings.version
      return `attached to ${name}:${version} at ${server.origin}`
    }
    case 'detached':
      return `no server at ${server.origin}: ${news.reason}; the next try is in ${shortly(news.nextTryMs)}`
    case 'notStarted':
      return `${notStarted(news.cause)}; the next is started in ${shortly(news.nextTryMs)}`
  }
}

const notStarted = (cause: string | undefined): string =>
  cause === undefined ? 'a process ended before it asked for an event' : `a process could not be started: ${cause}`

const shortly = (ms: number): string => (ms < 1_000 ? `${ms} ms` : counted(Math.round(ms / 1_000), 'second'))

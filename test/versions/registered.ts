/** The functions of a test as the registry has them: its own commands over records in memory. */
import { createHash } from 'node:crypto'
import { createAlias, updateAlias } from '../../src/functions/registry/aliases.ts'
import type { Change, RegistryFacts } from '../../src/functions/registry/change.ts'
import {
  create,
  deleteVersion,
  publish,
  updateCode,
  updateConfiguration,
} from '../../src/functions/registry/functions.ts'
import type { RegisteredFunctions } from '../../src/functions/registry/ports.ts'
import type { CodeReference, FunctionRecord } from '../../src/functions/registry/record.ts'
import { provision, reserveConcurrency } from '../../src/functions/registry/settings.ts'
import { DEFAULT_PLACE, layerArn } from '../../src/protocol/arn.ts'
import type { InputOf } from '../../src/protocol/operations.ts'
import { createSystemEntropy, systemClock } from '../../src/service/clock-adapters.ts'
import { type Part, zipOf } from '../management/zip-of.ts'

const entropy = createSystemEntropy()

/** By path; text that begins with `#!`, and any bytes, can be executed. */
export type Files = Readonly<Record<string, string | Buffer>>

export class Registered implements RegisteredFunctions {
  readonly #records = new Map<string, FunctionRecord>()
  readonly #code = new Map<string, Uint8Array>()
  readonly #layers = new Map<string, CodeReference>()
  readonly #listeners: ((name: string) => void)[] = []
  /** How often the zip of a version was asked for. */
  codeReads = 0

  get(name: string): FunctionRecord | undefined {
    return this.#records.get(name)
  }

  deleted(): undefined {
    return undefined
  }

  list(): readonly FunctionRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async code({ sha256 }: CodeReference): Promise<Uint8Array> {
    this.codeReads += 1
    const bytes = this.#code.get(sha256)
    if (bytes === undefined) throw new Error('the code is not there')
    return bytes
  }

  onChange(call: (name: string) => void): void {
    this.#listeners.push(call)
  }

  create(name: string, files: Files, config: Partial<InputOf<'CreateFunction'>> = {}): void {
    const input: InputOf<'CreateFunction'> = {
      FunctionName: name,
      Role: 'arn:aws:iam::000000000000:role/any',
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Timeout: 10,
      MemorySize: 512,
      ...config,
      Code: {},
    }
    this.#store(create(name, input, this.#keep(files), this.#facts()).record)
  }

  /** A layer whose every number is this one. Its ARN. */
  publishLayer(name: string, files: Files): string {
    this.#layers.set(name, this.#keep(files))
    return layerArn(DEFAULT_PLACE, name, 1)
  }

  deleteLayer(name: string): void {
    this.#layers.delete(name)
  }

  updateCode(name: string, files: Files): void {
    const code = this.#keep(files)
    this.#change(name, (record) => updateCode(record, { FunctionName: name }, code, this.#facts()))
  }

  configure(name: string, config: Partial<InputOf<'UpdateFunctionConfiguration'>>): void {
    this.#change(name, (record) => updateConfiguration(record, { FunctionName: name, ...config }, this.#facts(), false))
  }

  /** The number. */
  publish(name: string): string {
    return this.#change(name, (record) => publish(record, { FunctionName: name }, this.#facts())).version
  }

  deleteVersion(name: string, version: string): void {
    this.#change(name, (record) => deleteVersion(record, version, this.#facts()))
  }

  delete(name: string): void {
    this.#records.delete(name)
    this.#tell(name)
  }

  alias(name: string, alias: string, version: string, weights?: Readonly<Record<string, number>>): void {
    const known = this.#records.get(name)?.aliases.some((each) => each.name === alias)
    const routing = weights === undefined ? {} : { RoutingConfig: { AdditionalVersionWeights: weights } }
    const input = { FunctionName: name, Name: alias, FunctionVersion: version, ...routing }
    const command = known ? updateAlias : createAlias
    this.#change(name, (record) => command(record, input, this.#facts()))
  }

  reserve(name: string, concurrency: number | undefined): void {
    this.#change(name, (record) => reserveConcurrency(record, concurrency))
  }

  provision(name: string, qualifier: string, processes: number): void {
    const input = { FunctionName: name, Qualifier: qualifier, ProvisionedConcurrentExecutions: processes }
    this.#change(name, (record) => provision(record, input, this.#facts()))
  }

  #change<T>(name: string, command: (record: FunctionRecord) => Change<T>): T {
    const record = this.#records.get(name)
    if (record === undefined) throw new Error(`the test's function ${name} is not there`)
    const { record: changed, answer } = command(record)
    this.#store(changed)
    return answer
  }

  #store(record: FunctionRecord): void {
    this.#records.set(record.name, record)
    this.#tell(record.name)
  }

  #tell(name: string): void {
    for (const call of this.#listeners) call(name)
  }

  #keep(files: Files): CodeReference {
    const bytes = packageOf(files)
    const sha256 = createHash('sha256').update(bytes).digest('base64')
    this.#code.set(sha256, bytes)
    const unzippedBytes = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0)
    return { sha256, bytes: bytes.length, unzippedBytes }
  }

  #facts(): RegistryFacts {
    return {
      now: systemClock.now(),
      place: DEFAULT_PLACE,
      uuid: () => entropy.uuid(),
      layerCode: (name) => this.#layers.get(name),
    }
  }
}

export function packageOf(files: Files): Buffer {
  return zipOf(
    ...Object.entries(files).map(
      ([name, content]): Part => ({
        name,
        content,
        mode: typeof content !== 'string' || content.startsWith('#!') ? 0o100755 : 0o100644,
      }),
    ),
  )
}

/** A real server with a few executions that checkpoint without a pause, and what was acknowledged to them. */
import { join } from 'node:path'
import { startNamed } from '../kill/api.ts'
import { Hammer } from '../kill/hammer.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'

const HAMMERS = 3
const FUNCTION = 'hammer'

export interface Acknowledged {
  readonly name: string
  readonly arn: string
  readonly steps: ReadonlySet<string>
}

/** How a server is run: under what command, and who hears its log. */
export interface Surroundings {
  readonly under?: readonly string[]
  readonly log?: (text: string) => void
}

export class Workload {
  readonly endpoint: string
  readonly data: string
  readonly hammers: readonly Hammer[]
  readonly arns: readonly string[]
  readonly #puppets: Puppeteer
  #server: PerdureProcess

  static async start(data: string, surroundings: Surroundings = {}): Promise<Workload> {
    const puppets = await Puppeteer.open()
    const server = await serverOn(data, puppets.address, 0, surroundings)
    const hammers = Array.from({ length: HAMMERS }, (_, index) => new Hammer(server.endpoint, puppets, `h-${index}`))
    const arns = await Promise.all(hammers.map(({ name }) => startNamed(server.endpoint, FUNCTION, name)))
    for (const hammer of hammers) void hammer.run()
    return new Workload(data, puppets, server, hammers, arns)
  }

  private constructor(
    data: string,
    puppets: Puppeteer,
    server: PerdureProcess,
    hammers: readonly Hammer[],
    arns: readonly string[],
  ) {
    this.endpoint = server.endpoint
    this.data = data
    this.hammers = hammers
    this.arns = arns
    this.#puppets = puppets
    this.#server = server
  }

  /** What has been acknowledged until now. */
  acknowledged(): readonly Acknowledged[] {
    return this.hammers.map(({ name, acknowledged }, index) => ({
      name,
      arn: this.arns[index] ?? '',
      steps: new Set(acknowledged),
    }))
  }

  get steps(): number {
    return this.hammers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
  }

  /** Until so many more steps have been acknowledged. */
  async work(steps: number): Promise<void> {
    const enough = this.steps + steps
    await until(() => this.steps >= enough, `${steps} more steps are acknowledged`)
  }

  /** Another server on the same port and folder, without faults. */
  async restart(): Promise<void> {
    this.#server = await serverOn(this.data, this.#puppets.address, Number(new URL(this.endpoint).port), {})
  }

  kill(): Promise<void> {
    return this.#server.kill()
  }

  /** Ends the executions too: a server waits a while for what still runs. */
  stop(): Promise<void> {
    for (const hammer of this.hammers) hammer.finish()
    return this.#server.stop()
  }

  close(): void {
    this.#puppets.close()
  }
}

export function serverOn(
  data: string,
  puppeteer: string,
  port: number,
  { under, log }: Surroundings,
): Promise<PerdureProcess> {
  const options = {
    data,
    port,
    functions: [
      {
        name: FUNCTION,
        file: join(import.meta.dirname, '..', 'tables', 'puppet.mjs'),
        durable: { ExecutionTimeout: 3_600 },
        concurrency: HAMMERS,
        environment: { PUPPETEER: puppeteer },
      },
    ],
    log: { format: 'json', level: 'info' } as const,
  }
  return startPerdureProcess(options, log ?? (() => {}), under)
}

const PATIENCE_MS = 60_000

/** Waits for something that a server does by itself; asks again until it is so. */
export async function until(holds: () => boolean | Promise<boolean>, words: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`in vain for ${PATIENCE_MS / 1_000} s: ${words}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

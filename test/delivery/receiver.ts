/** A real webhook: an HTTP server that remembers what it got, and may be away for a while. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Received {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export class Receiver {
  readonly received: Received[] = []
  /** How it answers; default: 204. */
  answer: http.RequestListener = (_request, response) => void response.writeHead(204).end()
  #server: http.Server | undefined
  #port = 0

  static async start(t: TestContext): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.open()
    t.after(() => receiver.close())
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** On the port that it had before, if it had one. */
  async open(): Promise<void> {
    this.#server = http.createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { url: path = '', headers } = request
      this.received.push({ path, headers, body: Buffer.concat(chunks).toString() })
      this.answer(request, response)
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Nobody listens from now on. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** What came under a path, when there are so many. */
  async at(path: string, count: number): Promise<readonly Received[]> {
    const those = () => this.received.filter((each) => each.path === path)
    await until(`${count} requests for ${path}`, () => those().length >= count)
    return those()
  }
}

/** Looks until it is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, patienceMs = 30_000): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

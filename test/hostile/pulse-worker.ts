/** Asks a server for its health over and over, in a thread of its own, and tells how long each answer took. */
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const PAUSE_MS = 20

const { port } = workerData as { readonly port: number }
const request = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
const taken: number[] = []
const socket = connect(port, '127.0.0.1').setNoDelay(true)
let sentAt = 0
let over = false

const ask = (): void => {
  sentAt = performance.now()
  if (!over) socket.write(request)
}
socket.on('data', () => {
  taken.push(performance.now() - sentAt)
  setTimeout(ask, PAUSE_MS)
})
// The server may end the connection: what was measured until then counts.
socket.on('error', () => {})
socket.once('connect', ask)

parentPort?.once('message', () => {
  over = true
  socket.destroy()
  parentPort?.postMessage(taken)
  parentPort?.close()
})

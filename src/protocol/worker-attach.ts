/** Where and as what workers ask for a connection: all that a server needs to know of them before it hands it over. */
export const ATTACH_PATH = '/perdure/v1/workers/attach'

/** Of the WebSocket. A change that an older peer would not understand gets a new number. */
export const WORKER_SUBPROTOCOL = 'perdure-worker.v1'

/**
 * What can go wrong between a caller and a server, by consequence: the server refused (`RefusedError`, decide by its
 * code), nobody was there or the connection broke (`UnreachableError`, trying again may help), or something answered
 * that does not speak this API (`ForeignServerError`, the endpoint is wrong).
 */

/** The server answered with an error of the API. */
export class RefusedError extends Error {
  readonly code: string
  readonly httpStatus: number

  constructor(code: string, message: string, httpStatus: number) {
    super(message)
    this.name = 'RefusedError'
    this.code = code
    this.httpStatus = httpStatus
  }
}

/** No answer: the connection was refused, broke, or took too long. */
export class UnreachableError extends Error {
  readonly endpoint: string
  /** Node's code of the cause (`ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT`, …). */
  readonly reason: string

  constructor(endpoint: string, reason: string, options?: ErrorOptions) {
    super(`no answer from ${endpoint} (${reason})`, options)
    this.name = 'UnreachableError'
    this.endpoint = endpoint
    this.reason = reason
  }
}

/** An answer that no server of this API gives: the port belongs to something else. */
export class ForeignServerError extends Error {
  readonly endpoint: string

  constructor(endpoint: string, what: string) {
    super(`${endpoint} does not answer like a Perdure server: ${what}`)
    this.name = 'ForeignServerError'
    this.endpoint = endpoint
  }
}

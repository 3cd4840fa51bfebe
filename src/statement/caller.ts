import type { Logger } from '../runtime/logger.js'
import type { Statement } from './statement.js'
import type { CallSite } from './call-site.js'

/** The work that a connection is taken for; the log names it when the connection is held for too long. */
export interface Caller {
  readonly logger: Logger
  /** For example the route. */
  readonly label: string
  /** What all callers of one request share; undefined outside a request. */
  readonly request?: object | undefined
  /** Where the program requested the connection. */
  callSite?: CallSite | undefined
  /** Which attempt of a repeated transaction it is, from 1. @defaultValue 1 */
  readonly attempt?: number | undefined
  /** Asked before each statement of a session or stream: the reason why it must not be sent, if any. @defaultValue none */
  readonly refuses?: ((statement: Statement) => Error | undefined) | undefined
  /** The outer caller, if the request was made in its nested scope. */
  within?: Caller | undefined
}

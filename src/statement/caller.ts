import type { Logger } from '../runtime/logger.js'
import type { CallSite } from './call-site.js'

/** For whom a connection is taken: named in the log when it is held for too long. */
export interface Caller {
  readonly logger: Logger
  /** The route, say. */
  readonly label: string
  /** Where in the user's program it was asked for. */
  callSite?: CallSite | undefined
  /** The one in whose nested scope it was asked for. */
  within?: Caller | undefined
}

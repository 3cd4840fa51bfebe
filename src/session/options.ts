import { ValidationError } from '../errors/errors.js'

/** PostgreSQL's isolation levels, in its own words. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/** Whether a transaction may write. */
export type AccessMode = 'read write' | 'read only'

/** When BEGIN is sent: see {@link TransactionOptions.begin}. */
export type BeginPoint = 'firstWrite' | 'firstQuery' | 'onRequest'

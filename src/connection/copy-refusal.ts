import { UsageError } from '../errors/errors.js'
import type { Response } from './response.js'

/** A COPY whose rows come from the client or go to it: PostgreSQL takes either word in either direction. */
const throughClient = /\bcopy\b[\s\S]*\b(?:from|to)(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+std(?:in|out)\b/i

/** SQLSTATE of a COPY FROM STDIN for which pg has no rows, and of whatever else is cancelled. */
const cancelled = '57014'

const wayOut = 'COPY FROM STDIN and TO STDOUT do not go through execute: take a client by database.pool.connect() and use pg-copy-streams, or write the rows by createMany() and read them by stream()'

/** The error of a COPY that reads rows nobody sends, or sends rows nobody reads; undefined for everything else. */
export function refusalOfCopy ({ statement: { kind, text, context }, tags }: Response, failure: Error | undefined): UsageError | undefined {
  if (kind !== 'raw' || !(Object(failure).code === cancelled || tags.some((tag) => tag.startsWith('COPY ')))) return undefined
  return throughClient.test(text) ? new UsageError(wayOut, { cause: failure, context }) : undefined
}

import pg from 'pg'
import type { ClientBase } from 'pg'

/** Sends what another program that watches pg should not tell of again. */
export type Hide = (send: () => void) => void

type Query = (this: ClientBase, query: never) => unknown

const hides = new Set<Hide>()

/** pg's own function, unless a program has wrapped it before this package was loaded. */
const { query: own } = pg.Client.prototype

/**
 * Keeps the statements of this package from the instrumentation of OpenTelemetry for pg until the returned function is called: somebody else tells of them.
 * That instrumentation replaces pg's `query`, and keeps the replaced function as `__original`.
 */
export function hideStatements (hide: Hide): () => void {
  hides.add(hide)
  return () => { hides.delete(hide) }
}

/** Gives a query to a client. */
export function submit (client: ClientBase, query: never): void {
  const [hide] = hides
  const sends = client.query as Query & { readonly __original?: Query }
  if (hide === undefined || (sends === own && sends.__original === undefined)) client.query(query)
  else if (sends.__original !== undefined) sends.__original.call(client, query)
  else hide(() => { client.query(query) })
}

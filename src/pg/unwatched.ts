import type { ClientBase } from 'pg'

/** Sends what another program that watches pg should not tell of again. */
export type Hide = (send: () => void) => void

type Query = (this: ClientBase, query: never) => unknown

const hides = new Set<Hide>()

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
  if (hide === undefined) client.query(query)
  else hide(() => { originalOf(client.query as Query).call(client, query) })
}

function originalOf (query: Query): Query {
  const { __original: original } = query as Query & { readonly __original?: Query }
  return original ?? query
}

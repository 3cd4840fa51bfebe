/** The header `Link` of a page, by RFC 8288: https://www.rfc-editor.org/rfc/rfc8288 */
import { parse, stringify } from 'node:querystring'
import type { CursorResult, Paginated } from '../../src/repository/types/read-options.js'

type Query = Readonly<Record<string, string | number>>

/**
 * The links to the neighbours of a page: the same query with another place. Each is a query alone, so that it is right behind a proxy
 * that serves the list under another path. Undefined if there is none.
 */
export function pageLinks (url: string, page: CursorResult<unknown> | Paginated<unknown>): string | undefined {
  const start = url.indexOf('?')
  const { after, before, page: number, ...query } = parse(start < 0 ? '' : url.slice(start + 1))
  const links = Object.entries('total' in page ? numbered(page) : byCursor(page))
    .map(([rel, place]) => `<?${stringify({ ...query, ...place })}>; rel="${rel}"`)
  return links.length === 0 ? undefined : links.join(', ')
}

function byCursor ({ next, previous }: CursorResult<unknown>): Record<string, Query> {
  return { ...(next !== null && { next: { after: next } }), ...(previous !== null && { prev: { before: previous } }) }
}

function numbered ({ page, pages }: Paginated<unknown>): Record<string, Query> {
  return {
    ...(page < pages && { next: { page: page + 1 } }),
    ...(page > 1 && pages > 0 && { prev: { page: Math.min(page - 1, pages) } }),
    ...(pages > 0 && { first: { page: 1 }, last: { page: pages } })
  }
}

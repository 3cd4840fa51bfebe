import { isDeepStrictEqual } from 'node:util'

const grown = { name: 'Ünïcode "quoted" 漢字', email: 'a@example.com', balance: 12, isActive: false, settings: { deep: { list: [1, 'two', null, { three: true }] } }, note: 'one\ntwo' }
const small = { name: 'Small', email: 'b@example.com' }

// Requests to every endpoint, including refused ones. The ids are those of a newly filled table.
const requests = [
  { method: 'GET', path: '/none' },
  { method: 'GET', path: '/accounts/17' },
  { method: 'GET', path: '/accounts/18' },
  { method: 'GET', path: '/accounts/999999' },
  { method: 'GET', path: '/accounts?limit=20' },
  { method: 'POST', path: '/accounts', body: grown },
  { method: 'POST', path: '/accounts', body: small },
  { method: 'GET', path: '/accounts/10001' },
  { method: 'PATCH', path: '/accounts/17', body: { note: 'another' } },
  { method: 'PATCH', path: '/accounts/10001', body: { note: 'refused: it is not active' } },
  { method: 'PATCH', path: '/accounts/999999', body: { note: 'nobody' } },
  { method: 'POST', path: '/transfers', body: { from: 30, to: 20, amount: 5 } },
  { method: 'POST', path: '/transfers', body: { from: 20, to: 30, amount: 2_000_000 } },
  { method: 'POST', path: '/accounts/many', body: Array.from({ length: 100 }, (_, index) => ({ ...grown, name: `Many ${index}` })) },
  { method: 'GET', path: '/accounts?limit=3' }
]

/**
 * Sends the same requests to all servers, each over a newly filled table, and compares the replies and the rows afterwards.
 *
 * @throws Error with the first difference
 */
export async function checkAlike (servers, database) {
  let model
  for (const server of servers) {
    await database.fill()
    const replies = []
    for (const request of requests) replies.push(await ask(server.port, request))
    const one = { server, replies, table: await database.fingerprint() }
    model ??= one
    compare(model, one)
  }
}

async function ask (port, { method, path, body }) {
  const sent = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...sent })
  return { status: response.status, body: withoutNow(JSON.parse(await response.text())) }
}

/** Times that were just created may differ. All other times must be the same. */
function withoutNow (value) {
  if (Array.isArray(value)) return value.map(withoutNow)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNow(inner)]))
  const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)
  return isTime && Math.abs(Date.now() - Date.parse(value)) < 60_000 ? 'now' : value
}

function compare (model, one) {
  const names = `${one.server.peer.name} answers otherwise than ${model.server.peer.name}`
  for (const [index, { method, path }] of requests.entries()) {
    const [expected, found] = [model.replies[index], one.replies[index]]
    if (!isDeepStrictEqual(expected, found)) throw new Error(`${names} to ${method} ${path}:\n${JSON.stringify(found)}\ninstead of\n${JSON.stringify(expected)}`)
  }
  if (model.table !== one.table) throw new Error(`${one.server.peer.name} leaves other rows than ${model.server.peer.name}`)
}

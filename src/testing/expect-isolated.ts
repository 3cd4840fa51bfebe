import { randomUUID } from 'node:crypto'
import { UsageError } from '../errors/errors.js'
import { isOptions } from '../runtime/option-checks.js'
import { nameOf, TenantClient } from './tenant-client.js'
import type { ServerWithInject, TenantName, TenantReply, TenantRequest, TenantRequests, TwoTenants } from './tenant-client.js'

/**
 * Fails a test if one of two tenants reaches rows of the other. For each kind of row it creates rows as one tenant, and sends `others` as the other tenant,
 * and without the headers of a tenant. A leak is a reply that shows the row, a reply that changes with rows of the other tenant (a count), and a request
 * that changes what the owner sees. Then the tenants change places. The owner sends the same requests, too: each must succeed, so a mistyped URL is no pass.
 *
 * The requests are real ones: nothing is undone. Use a `sandbox`, or a database of its own.
 *
 * @throws UsageError for wrong arguments; Error that lists the leaks, or names the request that does not succeed for the owner
 * @example
 * ```ts
 * await expectIsolated(server, { a: { 'x-tenant': '1' }, b: { 'x-tenant': '2' } }, [{
 *   create: (marker) => ({ method: 'POST', url: '/notes', payload: { text: marker } }),
 *   others: ({ id }: { id: number }) => [
 *     '/notes',
 *     `/notes/${id}`,
 *     { method: 'PATCH', url: `/notes/${id}`, payload: { text: 'taken' } },
 *     { method: 'DELETE', url: `/notes/${id}` }
 *   ]
 * }])
 * ```
 */
export async function expectIsolated (server: ServerWithInject, tenants: TwoTenants, requests: readonly TenantRequests[]): Promise<void> {
  check(server, tenants, requests)
  const leaks: string[] = []
  for (const [owner, stranger] of [['a', 'b'], ['b', 'a']] as const) {
    const client = new TenantClient(server, tenants)
    for (const each of requests) leaks.push(...await leaksOf(client, { owner, strangers: [stranger, 'none'] }, each))
  }
  if (leaks.length > 0) throw new Error(['The tenants are not isolated:', ...new Set(leaks)].join('\n- '))
}

function check (server: unknown, tenants: unknown, requests: unknown): void {
  if (typeof Object(server).inject !== 'function') throw new UsageError('expectIsolated() takes a server with inject(), two tenants and their requests')
  if (!isOptions(tenants) || !isOptions(tenants['a']) || !isOptions(tenants['b'])) throw new UsageError('The tenants of expectIsolated() are { a, b }, each an object of headers')
  const areRequests = Array.isArray(requests) && requests.length > 0 && requests.every((each) => typeof Object(each).create === 'function' && typeof Object(each).others === 'function')
  if (!areRequests) throw new UsageError('The requests of expectIsolated() are an array of { create, others }, which are functions')
}

interface Roles {
  readonly owner: TenantName
  readonly strangers: readonly TenantName[]
}

async function leaksOf (client: TenantClient, { owner, strangers }: Roles, { create, others }: TenantRequests): Promise<string[]> {
  const leaks: string[] = []
  const markers: string[] = []
  const add = async (): Promise<TenantReply> => {
    const marker = randomUUID()
    markers.push(marker)
    return await client.succeed(owner, create(marker))
  }
  const noteShown = (replies: readonly TenantReply[]): void => {
    for (const { text, told } of replies) if (markers.some((marker) => text.includes(marker))) leaks.push(`${told}: it shows a row of ${owner}`)
  }
  const all = requestsOf(others((await add()).document))
  const [reads, writes] = [all.filter(isRead), all.filter((request) => !isRead(request))]
  const own = await client.succeedAll(owner, reads)
  if (!own.some(({ text }) => text.includes(markers[0] as string))) {
    throw new Error(`No GET of others shows ${owner} the marker of its own row: put it into a column that replies show, and read the row`)
  }
  for (const stranger of strangers) {
    const before = await client.sendAll(stranger, reads)
    noteShown(before)
    await add()
    const after = await client.sendAll(stranger, reads)
    noteShown(after)
    leaks.push(...differences(before, after).map(({ told }) => `${told}: the reply has changed because ${owner} has created a row`))
  }
  let seen = await client.succeedAll(owner, reads)
  for (const stranger of strangers) {
    for (const write of writes) {
      noteShown([await client.send(stranger, write)])
      const now = await client.sendAll(owner, reads)
      leaks.push(...differences(seen, now).map(({ told }) => `${nameOf(write)} of ${stranger} changes a row of ${owner}, as ${told} shows`))
      seen = now
    }
  }
  if (leaks.length === 0) await client.succeedAll(owner, writes)
  return leaks
}

function requestsOf (given: unknown): readonly TenantRequest[] {
  if (Array.isArray(given) && given.length > 0 && given.every((request) => typeof (Object(request).url ?? request) === 'string')) return given as TenantRequest[]
  throw new UsageError('others of expectIsolated() returns an array of requests: URLs, or objects of method, url, headers and payload')
}

function isRead (request: TenantRequest): boolean {
  return typeof request === 'string' || ['GET', 'HEAD'].includes(request.method?.toUpperCase() ?? 'GET')
}

/** The later replies that differ from the earlier ones. */
function differences (before: readonly TenantReply[], after: readonly TenantReply[]): TenantReply[] {
  return after.filter(({ statusCode, body }, place) => statusCode !== before[place]?.statusCode || body !== before[place].body)
}

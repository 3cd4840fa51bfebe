import t from 'tap'
import { onlyTo, shuffledAddresses } from '../../../src/pg/address-socket.js'
import { HostsError, inOrder, remember } from '../../../src/pg/hosts.js'
import { isFit } from '../../../src/pg/session-state.js'
import type { LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { HostFailure, Hosts } from '../../../src/pg/hosts.js'

const [a, b, c] = ['a', 'b', 'c'].map((host) => ({ host, port: undefined })) as [Hosts['addresses'][0], Hosts['addresses'][0], Hosts['addresses'][0]]
const hosts = (more: Partial<Hosts> = {}): Hosts => ({ addresses: [a, b, c], target: 'any', isRandom: false, timeoutMillis: undefined, ...more })

t.test('tries hosts that have just failed after the others, those that answered first', async (t) => {
  const tried = hosts()
  t.strictSame(inOrder(tried), [a, b, c])
  remember(tried, a, 'unreachable')
  t.strictSame(inOrder(tried), [b, c, a])
  remember(tried, b, 'unfit')
  remember(tried, c, 'fit')
  t.strictSame(inOrder(tried), [c, b, a])
  t.strictSame(inOrder(tried, performance.now() + 60_000), [a, b, c], 'a minute later, the failures are forgotten')
  t.strictSame(inOrder(hosts()), [a, b, c], 'other clients know nothing of them')
})

t.test('load_balance_hosts=random tries hosts in each order', async (t) => {
  const orders = new Set(Array.from({ length: 500 }, () => inOrder(hosts({ isRandom: true })).map(({ host }) => host).join('')))
  t.equal(orders.size, 6)
})

t.test('knows which session fits, as libpq does', async (t) => {
  const sessions = [
    { standby: false, readOnly: false },
    { standby: false, readOnly: true },
    { standby: true, readOnly: false },
    { standby: true, readOnly: true }
  ]
  const fits = {
    any: [true, true, true, true],
    'read-write': [true, false, false, false],
    'read-only': [false, true, true, true],
    primary: [true, true, false, false],
    standby: [false, false, true, true],
    'prefer-standby': [true, true, true, true]
  } as const
  for (const [target, expected] of Object.entries(fits)) {
    t.strictSame(sessions.map((session) => isFit(target as keyof typeof fits, session)), expected, target)
  }
})

t.test('says of each host why it was refused, without its name', async (t) => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' })
  const error = (target: Hosts['target'], ...failures: HostFailure[]): HostsError => new HostsError(hosts({ target }), failures)
  const [standby, readOnly] = [{ address: b, error: undefined, state: { standby: true } }, { address: c, error: undefined, state: { readOnly: true } }]
  t.equal(error('read-write', standby, { address: a, error: refused, state: {} }, readOnly).message,
    'none of the 3 hosts of the URL accepts writes: host 1 failed (ECONNREFUSED), host 2 is a standby, host 3 is read-only')
  t.equal(error('standby', { address: a, error: undefined, state: {} }, { address: b, error: new Error('ended'), state: {} }).message,
    'none of the 3 hosts of the URL is a standby: host 1 is a primary, host 2 failed (the connection was lost)')
  t.equal(error('any', { address: a, error: refused, state: {} }, { address: b, error: refused, state: {} }).code, 'ECONNREFUSED')
  t.equal(error('any', { address: a, error: refused, state: {} }, { address: b, error: new Error('ended'), state: {} }).code, 'NO_SUITABLE_HOST')
  t.equal(error('any', { address: a, error: new Error('ended'), state: {} }).code, 'NO_SUITABLE_HOST')
})

t.test('looks up all addresses of a name, or leads to one address', async (t) => {
  const look = (lookup: LookupFunction, name: string, options: LookupOptions): Promise<unknown[]> =>
    new Promise((resolve) => { lookup(name, options, (...answer) => resolve(answer)) })
  const local = /^(?:127\.0\.0\.1|::1)$/
  t.match(await look(shuffledAddresses, 'localhost', { all: true }), [null, [{ address: local }]])
  t.match(await look(shuffledAddresses, 'localhost', {}), [null, local])
  t.match(await look(shuffledAddresses, 'nowhere.invalid', { all: true }), [{ syscall: 'getaddrinfo' }, []])
  t.strictSame(await look(onlyTo('::1'), 'db', { all: true }), [null, [{ address: '::1', family: 6 }]])
  t.strictSame(await look(onlyTo('127.0.0.1'), 'db', {}), [null, '127.0.0.1', 4])
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import t from 'tap'
import { extendConnection, parseConnectionString, withDatabase } from '../../../../src/settings/url/connection-string.js'
import { SettingsError } from '../../../../src/settings/settings.js'

/** The refusal of a URL; a test fails that gets none. */
function refusal (url: string): SettingsError {
  try {
    parseConnectionString(url, 'DATABASE_URL')
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
  throw new Error('the URL was accepted')
}

function tls (query: string): ConnectionOptions | boolean | undefined {
  return parseConnectionString(`postgresql://db.example/shop?${query}`).ssl
}

t.test('takes a URL apart', async (t) => {
  const connection = parseConnectionString('postgresql://ada:hush@db.example:6543/shop')

  t.match(connection, { host: 'db.example', port: 6543, user: 'ada', database: 'shop', keepAlive: true, enableChannelBinding: false })
  t.equal(connection.password, 'hush')
  t.equal(connection.ssl, undefined)
})

t.test('leaves missing parts to pg and its variables', async (t) => {
  t.intercept(process, 'env', { value: { ...process.env, PGPORT: '7777' } })
  const connection = parseConnectionString('postgres:///shop')

  t.match(connection, { host: undefined, port: undefined, user: undefined, password: undefined })
  t.equal(new pg.Client(connection).port, 7777)
})

t.test('decodes every part', async (t) => {
  const connection = parseConnectionString('POSTGRESQL://a%40b:p%40s%3As%2F%25:w@%64b/s%2Fh%20op?application_name=a%26b+c=d')

  t.match(connection, { user: 'a@b', host: 'db', database: 's/h op', application_name: 'a&b+c=d' })
  t.equal(connection.password, 'p@s:s/%:w')
})

t.test('takes the form of a Python driver', async (t) => {
  for (const scheme of ['postgresql+asyncpg', 'postgres+psycopg2', 'postgresql+psycopg']) {
    t.match(parseConnectionString(`${scheme}://ada@db.example/shop`), { host: 'db.example', database: 'shop' })
  }
})

t.test('reaches Unix sockets, where TLS has no meaning', async (t) => {
  t.match(parseConnectionString('postgresql:///shop?host=/var/run/postgresql'), { host: '/var/run/postgresql', database: 'shop' })
  t.match(parseConnectionString('postgresql://ada@%2Fvar%2Frun/shop?sslmode=require&sslnegotiation=direct'), {
    host: '/var/run', database: 'shop', ssl: false, sslnegotiation: undefined
  })
})

t.test('reaches IPv6 addresses', async (t) => {
  t.match(parseConnectionString('postgresql://[::1]:5433/shop'), { host: '::1', port: 5433 })
  t.match(parseConnectionString('postgresql://ada@[2001:db8::1]/shop'), { host: '2001:db8::1', port: undefined })
})

t.test('reads several hosts as libpq does: one port for all, or one for each', async (t) => {
  const addresses = (rest: string): string[] | undefined =>
    parseConnectionString(`postgresql://${rest}`).hosts?.addresses.map(({ host, port }) => `${host} ${port}`)

  t.strictSame(addresses('a,b/shop'), ['a undefined', 'b undefined'])
  t.strictSame(addresses('ada:x@a:1,[::1]:2,[::2],%2Frun/shop'), ['a 1', '::1 2', '::2 undefined', '/run undefined'])
  t.strictSame(addresses('a:1,b:2/shop?port=3'), ['a 3', 'b 3'])
  t.strictSame(addresses('a,b/shop?port=3,'), ['a 3', 'b undefined'])
  t.strictSame(addresses('/shop?host=a,/run&port=1,2'), ['a 1', '/run 2'])
  t.strictSame(addresses('x:1/shop?host=a,b'), ['a 1', 'b 1'])
})

t.test('asks for a session, and gives each host its own time', async (t) => {
  t.match(parseConnectionString('postgresql://a:1,b:2/shop?target_session_attrs=read-write&load_balance_hosts=random&connect_timeout=2'), {
    host: 'a', port: 1, hosts: { target: 'read-write', isRandom: true, timeoutMillis: 2000 }, connectionTimeoutMillis: undefined
  })
  t.match(parseConnectionString('postgresql://a/shop?target_session_attrs=standby'), { hosts: { addresses: [{ host: 'a' }], target: 'standby', isRandom: false } })
  t.equal(parseConnectionString('postgresql://a/shop?target_session_attrs=any&load_balance_hosts=disable').hosts, undefined)
})

t.test('uses TLS if any host is no Unix socket', async (t) => {
  t.match(parseConnectionString('postgresql:///shop?host=/run,b&sslmode=require').ssl, { rejectUnauthorized: false })
  t.equal(parseConnectionString('postgresql:///shop?host=/run,/tmp&sslmode=require').ssl, false)
})

t.test('names another database in the same URL', async (t) => {
  t.equal(withDatabase('postgresql://ada:x@a:1,b:2/shop?dbname=other&sslmode=disable', 'test_1'), 'postgresql://ada:x@a:1,b:2/test_1?sslmode=disable')
  t.equal(withDatabase('postgresql:///shop?host=/run', 'test_1'), 'postgresql:///test_1?host=/run')
  t.equal(withDatabase('postgresql://a', 'test_1'), 'postgresql://a/test_1')
  t.throws(() => withDatabase('shop', 'test_1'), SettingsError)
})

t.test('parameters win over the parts before them, empty ones count for nothing', async (t) => {
  const connection = parseConnectionString('postgresql://ada:x@db/shop?host=other&port=1234&user=eve&password=hush&dbname=store&options=&')

  t.match(connection, { host: 'other', port: 1234, user: 'eve', database: 'store', options: undefined })
  t.equal(connection.password, 'hush')
})

t.test('passes on the parameters that pg knows', async (t) => {
  t.match(parseConnectionString('postgresql://db/shop?application_name=a&fallback_application_name=b&options=-c%20geqo%3Doff&connect_timeout=5&keepalives_idle=60&channel_binding=require&client_encoding=UTF8&uselibpqcompat=true'), {
    application_name: 'a',
    fallback_application_name: 'b',
    options: '-c geqo=off',
    connectionTimeoutMillis: 5000,
    keepAliveInitialDelayMillis: 60_000,
    enableChannelBinding: true,
  })
  t.match(parseConnectionString('postgresql://db/shop?connect_timeout=0&channel_binding=disable'), {
    connectionTimeoutMillis: undefined, keepAliveInitialDelayMillis: 10_000, enableChannelBinding: false
  })
  t.match(parseConnectionString('postgresql://db/shop?keepalives_idle=0'), { keepAlive: true, keepAliveInitialDelayMillis: 0 }, 'the system\'s own delay')
})

t.test('refuses a broken URL, says how to write it, and shows nothing of it (scenario 63)', async (t) => {
  const broken = [
    'postgresql://ada:hu@sh@hosty/shoppe',
    'postgresql://ada:hu/sh@hosty/shoppe',
    'postgresql://ada:hu?sh@hosty/shoppe',
    'postgresql://ada:hu#sh@hosty/shoppe',
    'postgresql://ada:hu sh@hosty/shoppe',
    'postgresql://ada:hu%sh@hosty/shoppe',
    'postgresql://ada:hush@hosty/shoppe/hush',
    'postgresql://ada:hush@hosty/shoppe@hush',
    'postgresql://ada:hush@hosty/shoppe#hush',
    'postgresql://ada:hush@hosty:5432:5433/shoppe',
    'postgresql://ada:hush@[::1/shoppe',
    'postgresql://ada:hush@hosty/shoppe\n',
    'mysql://ada:hush@hosty/shoppe',
    'hosty/shoppe',
    'host=hosty dbname=shoppe password=hush',
    '"postgresql://ada:hush@hosty/shoppe"',
    'postgresql://ada:hush@hosty/shoppe?application_name=%zz',
  ]

  for (const url of broken) {
    const error = refusal(url)
    t.match(error.message, /^DATABASE_URL is not a URL of the form .*@ as %40/, url)
    t.notMatch(inspect(error, { showHidden: true }).replace(/ {4}at .*/g, ''), /ada|hu.?sh|hosty|shoppe/, url)
    t.equal(error.cause, undefined)
  }
})

t.test('refuses a URL that cannot be meant, without any part of it', async (t) => {
  const refused: ReadonlyArray<[url: string, reason: RegExp]> = [
    ['postgresql://ada:hush@hosty', /names no database/],
    ['postgresql://ada:hush@hosty/', /names no database/],
    ['postgresql://ada:hush@hosty?sslmode=require', /names no database/],
    ['postgresql://ada:12?hush@hosty/shoppe', /parameter .* means nothing here/],
    ['postgresql://ada:12?hush', /parameter .* means nothing here/],
    ['postgresql://hosty/shoppe?sslmod=hush', /parameter .* sslmode/],
    ['postgresql://hosty/shoppe?toString=hush', /parameter .* means nothing here/],
    ['postgresql://hosty:1,hush:0/shoppe', /port/],
    ['postgresql://hosty,hush/shoppe?port=1,2,3', /number of ports/],
    ['postgresql://hosty/shoppe?port=1,2', /number of ports/],
    ['postgresql:///shoppe?host=hosty,,hush', /empty host/],
    ['postgresql://hosty/shoppe?target_session_attrs=hush', /target_session_attrs .*prefer-standby/],
    ['postgresql://hosty/shoppe?load_balance_hosts=hush', /load_balance_hosts .*random/],
    ['postgresql://hosty:0/shoppe', /port/],
    ['postgresql://hosty:65536/shoppe', /port/],
    ['postgresql://hosty/shoppe?port=hush', /port/],
    ['postgresql://hosty/shoppe?client_encoding=hush', /client_encoding .*utf8/],
    ['postgresql://hosty/shoppe?channel_binding=hush', /channel_binding/],
    ['postgresql://hosty/shoppe?connect_timeout=hush', /connect_timeout/],
    ['postgresql://hosty/shoppe?connect_timeout=2147484', /connect_timeout/],
    ['postgresql://hosty/shoppe?sslmode=hush', /sslmode .*verify-full/],
    ['postgresql://hosty/shoppe?ssl=hush', /ssl .*verify-full/],
    ['postgresql://hosty/shoppe?sslnegotiation=hush', /sslnegotiation/],
    ['postgresql://hosty/shoppe?sslmode=prefer&sslnegotiation=direct', /sslnegotiation=direct, which needs/],
    ['postgresql://hosty/shoppe?sslmode=require&sslrootcert=system', /sslmode=verify-full/],
    ['postgresql://hosty/shoppe?sslmode=verify-ca', /sslrootcert/],
    ['postgresql://hosty/shoppe?sslmode=require&ssl_min_protocol_version=hush', /ssl_min_protocol_version .*TLSv1\.3/],
    ['postgresql://hosty/shoppe?sslmode=require&sslrootcert=/hush/ca.pem', /file in sslrootcert that cannot be read/],
  ]

  for (const [url, reason] of refused) {
    const error = refusal(url)
    t.match(error.message, reason, url)
    t.notMatch(inspect(error, { showHidden: true }).replace(/ {4}at .*/g, ''), /ada:|hush|hosty|shoppe/, url)
  }
})

t.test('gives sslmode libpq\'s meaning', async (t) => {
  const folder = t.testdir({ 'ca.pem': 'the authority' })
  const authority = `sslrootcert=${encodeURIComponent(join(folder, 'ca.pem'))}`

  t.test('no TLS', async (t) => {
    for (const query of [
      'sslmode=disable', 'sslmode=allow', 'ssl=false', 'ssl=0', 'ssl=disable', `sslmode=disable&${authority}`
    ]) t.equal(tls(query), false, query)
  })

  t.test('TLS with any certificate', async (t) => {
    for (const query of ['sslmode=prefer', 'sslmode=require', 'ssl=require', 'sslmode=no-verify', `sslmode=no-verify&${authority}`]) {
      t.match(tls(query), { rejectUnauthorized: false, checkServerIdentity: undefined }, query)
    }
  })

  t.test('TLS with a certificate of the given authority, for whatever host', async (t) => {
    for (const query of ['sslmode=verify-ca', 'sslmode=require', 'sslmode=prefer']) {
      const ssl = tls(`${query}&${authority}`)
      t.match(ssl, { ca: 'the authority', rejectUnauthorized: undefined, checkServerIdentity: Function }, query)
    }
  })

  t.test('TLS with a certificate of this host', async (t) => {
    for (const query of ['sslmode=verify-full', 'ssl=true', 'ssl=1', 'sslrootcert=system', 'sslmode=verify-full&sslrootcert=system', 'sslnegotiation=direct']) {
      t.match(tls(query), { ca: undefined, rejectUnauthorized: undefined, checkServerIdentity: undefined }, query)
    }
    t.match(tls(authority), { ca: 'the authority', rejectUnauthorized: undefined, checkServerIdentity: undefined })
  })

  t.test('vouches for any host where libpq does', async (t) => {
    const ssl = tls(`sslmode=verify-ca&${authority}`)

    t.equal(typeof ssl === 'object' && ssl.checkServerIdentity?.('elsewhere', Object.create(null)), undefined)
  })
})

t.test('reads certificate and key, and hides the key', async (t) => {
  const folder = t.testdir({})
  for (const name of ['cert.pem', 'key.pem']) writeFileSync(join(folder, name), `the ${name}`)
  const connection =
    parseConnectionString(`postgresql://db/shop?sslmode=require&sslcert=${folder}/cert.pem&sslkey=${folder}/key.pem&ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.3&sslnegotiation=direct`)

  t.match(connection, { sslnegotiation: 'direct', ssl: { cert: 'the cert.pem', minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } })
  t.equal(typeof connection.ssl === 'object' && connection.ssl.key, 'the key.pem')
  t.notMatch(inspect(connection) + JSON.stringify(connection), 'the key.pem')
})

t.test('does not wake the deprecation warning of pg-connection-string', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => { warnings.push(warning) }
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))

  const client = new pg.Client(parseConnectionString('postgresql://db/shop?sslmode=require'))
  await new Promise(setImmediate)

  t.equal(client.host, 'db')
  t.strictSame(warnings, [])
})

t.test('the password does not show, and survives more keys', async (t) => {
  const connection = parseConnectionString('postgresql://ada:hush@db/shop')
  const extended = extendConnection(connection, { max: 5, host: 'other' })

  t.match(extended, { max: 5, host: 'other', user: 'ada' })
  for (const config of [connection, extended]) {
    t.equal(config.password, 'hush')
    t.notMatch(inspect(config) + JSON.stringify(config), 'hush')
  }
})

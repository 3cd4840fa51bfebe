import type { ClientConfig } from 'pg'
import { hide } from '../../runtime/hidden-properties.js'
import { SettingsError } from '../../errors/settings-error.js'
import { tlsOf } from './tls.js'
import { decodePart, malformedUrl, UrlParameters } from './url-parameters.js'

/**
 * libpq's form of a URL (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), with one `@`.
 * The URL class would accept `p@ss@host` as a user and a host, but libpq connects to another host.
 */
const urlShape = /^postgres(?:ql)?(?:\+\w+)?:\/\/(?:(?<user>[^\s@/?#:]*)(?::(?<password>[^\s@/?#]*))?@)?(?<address>[^\s@/?#]*)(?:\/(?<database>[^\s@/?#]*))?(?:\?(?<query>[^\s#]*))?$/i

const addressShape = /^(?:\[(?<ipv6>[^[\]]*)\]|(?<host>[^:[\]]*))(?::(?<port>\d*))?$/

/** The silence after which keepalive probes begin; after ten unanswered probes, a second apart, the connection is lost. */
const keepAliveMillis = 10_000

/**
 * Converts a URL to the configuration of a `pg` client. Omitted parts stay undefined, and pg takes them from its `PG*` variables.
 *
 * The password and the TLS key are not enumerable. A host that begins with `/` is the folder of a Unix socket, where `sslmode` has no meaning.
 * `channel_binding=require` acts as `prefer`: pg binds where the server offers it.
 *
 * @param url as libpq accepts it, with one host; a Python driver suffix (`postgresql+asyncpg://`) is accepted
 * @param setting where the URL came from, for the error
 * @throws {SettingsError} for a URL that cannot be used; the message holds no part of it
 * @example
 * const client = new pg.Client(parseConnectionString('postgresql://ada:s%40cret@localhost/shop?sslmode=require'))
 */
export function parseConnectionString (url: string, setting = 'connectionString'): ClientConfig {
  const parts = matchParts(urlShape, url, setting)
  if (`${parts['address']}`.includes(',')) throw severalHosts(setting)
  const address = matchParts(addressShape, `${parts['address']}`, setting)
  const parameters = new UrlParameters(parts['query'] ?? '', setting)
  const either = (parameter: string, part: string | undefined) => parameters.text(parameter) ?? decodePart(part, setting)

  const host = either('host', address['ipv6'] ?? address['host'])
  const database = either('dbname', parts['database'])
  if (host?.includes(',') === true) throw severalHosts(setting)
  if (database === undefined) throw new SettingsError(setting, 'names no database: write its name after the host, as in postgresql://HOST/DATABASE')

  // pg always uses UTF-8.
  parameters.choice('client_encoding', ['auto', 'utf8', 'UTF8', 'utf-8', 'UTF-8'])
  const config: ClientConfig = {
    host,
    port: readPort(either('port', address['port']), setting),
    user: either('user', parts['user']),
    password: either('password', parts['password']),
    database,
    ...transportOf(parameters, host),
    application_name: parameters.text('application_name'),
    fallback_application_name: parameters.text('fallback_application_name'),
    options: parameters.text('options'),
    enableChannelBinding: ['prefer', 'require'].includes(parameters.choice('channel_binding', ['disable', 'prefer', 'require']) ?? 'disable'),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayOf(parameters),
    connectionTimeoutMillis: parameters.millis('connect_timeout'),
  }
  return hide(config, 'password')
}

/** Adds keys to a client configuration and keeps its password, which is not enumerable: a spread would lose it. */
export function extendConnection<More extends object> (connection: ClientConfig, more: More): ClientConfig & More {
  return hide({ ...connection, password: connection.password, ...more }, 'password')
}

function matchParts (form: RegExp, text: string, setting: string): Record<string, string | undefined> {
  const groups = form.exec(text)?.groups
  if (groups === undefined) throw malformedUrl(setting)
  return groups
}

/** 0 uses the delay of the system, as in libpq: two hours on most. */
function keepAliveDelayOf (parameters: UrlParameters): number {
  return parameters.text('keepalives_idle') === '0' ? 0 : parameters.millis('keepalives_idle') ?? keepAliveMillis
}

function severalHosts (setting: string): SettingsError {
  return new SettingsError(setting, 'names several hosts, but a connection has one: name the primary, or a proxy before them')
}

function readPort (text: string | undefined, setting: string): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new SettingsError(setting, 'has a port that is not a whole number from 1 to 65535')
  return port
}

function transportOf (parameters: UrlParameters, host: string | undefined): Pick<ClientConfig, 'ssl' | 'sslnegotiation'> {
  const sslnegotiation = parameters.choice('sslnegotiation', ['postgres', 'direct'])
  const ssl = tlsOf(parameters)
  return host?.startsWith('/') === true ? { ssl: false } : { ssl, sslnegotiation }
}

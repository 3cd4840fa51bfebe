import type { ClientConfig } from 'pg'
import { hide } from '../../runtime/hidden-properties.js'
import { SettingsError } from '../../errors/settings-error.js'
import { addressesOf, hostsOf, splitAddresses } from './hosts.js'
import { tlsOf } from './tls.js'
import { decodePart, malformedUrl, UrlParameters } from './url-parameters.js'
import type { UrlAddress, UrlHosts } from './hosts.js'

/**
 * libpq's form of a URL (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), with one `@`.
 * The URL class would accept `p@ss@host` as a user and a host, but libpq connects to another host.
 */
const urlShape = /^postgres(?:ql)?(?:\+\w+)?:\/\/(?:(?<user>[^\s@/?#:]*)(?::(?<password>[^\s@/?#]*))?@)?(?<address>[^\s@/?#]*)(?:\/(?<database>[^\s@/?#]*))?(?:\?(?<query>[^\s#]*))?$/i

/** The silence after which keepalive probes begin; after ten unanswered probes, a second apart, the connection is lost. */
const keepAliveMillis = 10_000

/** The configuration of a client; `hosts` only if the URL has several, or asks for a certain session. */
export type UrlConfig = ClientConfig & { readonly hosts?: UrlHosts }

/**
 * Converts a URL to the configuration of a client. Omitted parts stay undefined, and pg takes them from its `PG*` variables.
 *
 * The password and the TLS key are not enumerable. A host that begins with `/` is the folder of a Unix socket, where `sslmode` has no meaning.
 * `channel_binding=require` acts as `prefer`: pg binds where the server offers it.
 *
 * @param url as libpq accepts it; a Python driver suffix (`postgresql+asyncpg://`) is accepted
 * @param setting where the URL came from, for the error
 * @throws {SettingsError} for a URL that cannot be used; the message holds no part of it
 * @example
 * const client = new DatabaseClient(parseConnectionString('postgresql://ada:s%40cret@localhost/shop?sslmode=require'))
 */
export function parseConnectionString (url: string, setting = 'connectionString'): UrlConfig {
  const parts = matchParts(urlShape, url, setting)
  const pairs = splitAddresses(`${parts['address']}`, setting)
  const parameters = new UrlParameters(parts['query'] ?? '', setting)
  const either = (parameter: string, part: string | undefined) => parameters.text(parameter) ?? decodePart(part, setting)

  const addresses = addressesOf(pairs, parameters, setting)
  const hosts = hostsOf(addresses, parameters)
  const database = either('dbname', parts['database'])
  if (database === undefined) throw new SettingsError(setting, 'names no database: write its name after the host, as in postgresql://HOST/DATABASE')

  // pg always uses UTF-8.
  parameters.choice('client_encoding', ['auto', 'utf8', 'UTF8', 'utf-8', 'UTF-8'])
  const config: UrlConfig = {
    ...addresses[0],
    user: either('user', parts['user']),
    password: either('password', parts['password']),
    database,
    ...transportOf(parameters, addresses),
    application_name: parameters.text('application_name'),
    fallback_application_name: parameters.text('fallback_application_name'),
    options: parameters.text('options'),
    enableChannelBinding: ['prefer', 'require'].includes(parameters.choice('channel_binding', ['disable', 'prefer', 'require']) ?? 'disable'),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayOf(parameters),
    // With several hosts, it limits the time for each.
    ...hosts === undefined ? { connectionTimeoutMillis: parameters.millis('connect_timeout') } : { hosts },
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

function transportOf (parameters: UrlParameters, addresses: readonly UrlAddress[]): Pick<ClientConfig, 'ssl' | 'sslnegotiation'> {
  const sslnegotiation = parameters.choice('sslnegotiation', ['postgres', 'direct'])
  const ssl = tlsOf(parameters)
  return addresses.every(({ host }) => host?.startsWith('/')) ? { ssl: false } : { ssl, sslnegotiation }
}

/** The same URL with another database. @throws {SettingsError} for a text that is no URL */
export function withDatabase (url: string, database: string): string {
  const { authority } = matchParts(/^(?<authority>[^/?#]*\/\/[^/?#]*)/, url, 'connectionString')
  const query = /\?(?<query>[^#]*)/.exec(url)?.groups?.['query'] ?? ''
  const parameters = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('dbname='))
  return `${authority}/${database}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`
}

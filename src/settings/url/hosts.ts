import { SettingsError } from '../../errors/settings-error.js'
import { decodePart, malformedUrl } from './url-parameters.js'
import type { UrlParameters } from './url-parameters.js'

/** One host and its port; pg completes what the URL leaves out. */
export interface UrlAddress {
  readonly host: string | undefined
  readonly port: number | undefined
}

/** The hosts of a URL, if they are several, or if not every session is wanted. */
export interface UrlHosts {
  readonly addresses: readonly UrlAddress[]
  readonly target: typeof targets[number]
  readonly isRandom: boolean
  readonly timeoutMillis: number | undefined
}

const targets = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const

const addressShape = /^(?:\[(?<ipv6>[^[\]]*)\]|(?<host>[^:[\]]*))(?::(?<port>\d*))?$/

/** A host and its port as the URL has them. */
export interface AddressText {
  readonly host: string | undefined
  readonly port: string | undefined
}

/** Takes the hosts before the path apart. */
export function splitAddresses (list: string, setting: string): AddressText[] {
  return list.split(',').map((text) => {
    const groups = addressShape.exec(text)?.groups
    if (groups === undefined) throw malformedUrl(setting)
    return { host: decodePart(groups['ipv6'] ?? groups['host'], setting), port: decodePart(groups['port'], setting) }
  })
}

/**
 * The hosts as libpq reads them: the parameters `host` and `port` replace those before the path, and there is one port for all
 * hosts, or one for each.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function addressesOf (pairs: readonly AddressText[], parameters: UrlParameters, setting: string): [UrlAddress, ...UrlAddress[]] {
  const hosts = parameters.text('host')?.split(',') ?? pairs.map(({ host }) => host)
  const ports = parameters.text('port')?.split(',') ?? pairs.map(({ port }) => port)
  if (ports.length !== 1 && ports.length !== hosts.length) throw new SettingsError(setting, 'has another number of ports than of hosts: give one port for all hosts, or one for each')
  const [first, ...others] = hosts.map((host, index) => {
    if (hosts.length > 1 && !host) throw new SettingsError(setting, 'has an empty host in its list of hosts')
    return { host, port: readPort(ports.length === 1 ? ports[0] : ports[index], setting) }
  })
  return [first as UrlAddress, ...others]
}

/** How the hosts are tried; undefined for one host that is taken as it is. */
export function hostsOf (addresses: readonly UrlAddress[], parameters: UrlParameters): UrlHosts | undefined {
  const target = parameters.choice('target_session_attrs', targets) ?? 'any'
  const isRandom = parameters.choice('load_balance_hosts', ['disable', 'random']) === 'random'
  if (addresses.length === 1 && target === 'any' && !isRandom) return undefined
  return { addresses, target, isRandom, timeoutMillis: parameters.millis('connect_timeout') }
}

function readPort (text: string | undefined, setting: string): number | undefined {
  if (text === undefined || text === '') return undefined
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new SettingsError(setting, 'has a port that is not a whole number from 1 to 65535')
  return port
}

import { readFileSync } from 'node:fs'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { hide } from '../../runtime/hidden-properties.js'
import type { UrlParameters } from './url-parameters.js'

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const
type Mode = typeof modes[number]

/** The values of node-postgres' parameter `ssl`, which accepts those of `sslmode` too. */
const modesOfSsl = new Map<string, Mode>([['true', 'verify-full'], ['1', 'verify-full'], ['false', 'disable'], ['0', 'disable']])

const secureVersions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

const anyCertificate: ConnectionOptions = { rejectUnauthorized: false }
const anyHost: ConnectionOptions = { checkServerIdentity: () => undefined }

/**
 * Converts the TLS parameters of a URL to pg's options. Undefined without any: then `PGSSLMODE` decides, and without it there is no TLS.
 *
 * `sslmode` has libpq's meaning (https://www.postgresql.org/docs/current/libpq-ssl.html) as far as pg can follow; pg tries once and cannot fall back:
 *
 * - `disable`, and `allow` (libpq tries without TLS first): no TLS.
 * - `prefer`, `require`: TLS, the certificate is not verified; with `sslrootcert` as `verify-ca`. A server without TLS is
 *   refused with `prefer` too: use `disable` there.
 * - `verify-ca`: the certificate comes from the authority in `sslrootcert`, which must be given: a public authority issues certificates for any host.
 * - `verify-full`: in addition, the certificate is for this host. Without `sslrootcert` the authorities that Node trusts are used.
 * - `no-verify` (node-postgres): TLS, nothing is verified.
 *
 * Certificates, or `sslnegotiation=direct`, without a mode mean `verify-full`.
 *
 * @throws {SettingsError} for a mode that does not exist, a file that cannot be read, or a combination that libpq refuses too
 */
export function tlsOf (parameters: UrlParameters): ConnectionOptions | false | undefined {
  const mode = modeOf(parameters)
  if (mode === undefined) return undefined
  if (parameters.text('sslnegotiation') === 'direct' && ['disable', 'allow', 'prefer'].includes(mode)) {
    throw parameters.refuse('has sslnegotiation=direct, which needs an sslmode of require, verify-ca or verify-full')
  }
  if (parameters.text('sslrootcert') === 'system' && mode !== 'verify-full') {
    throw parameters.refuse('has sslrootcert=system, which needs sslmode=verify-full')
  }
  return mode === 'disable' || mode === 'allow' ? false : connectionOptions(parameters, mode)
}

function modeOf (parameters: UrlParameters): Mode | undefined {
  const mode = parameters.choice('sslmode', modes) ?? modesOfSsl.get(parameters.text('ssl') ?? '') ?? parameters.choice('ssl', modes)
  const wantsTls = parameters.text('sslnegotiation') === 'direct' || ['sslrootcert', 'sslcert', 'sslkey'].some((name) => parameters.text(name) !== undefined)
  return mode ?? (wantsTls ? 'verify-full' : undefined)
}

function connectionOptions (parameters: UrlParameters, mode: Mode): ConnectionOptions {
  const ca = parameters.text('sslrootcert') === 'system' ? undefined : readPem(parameters, 'sslrootcert')
  const cert = readPem(parameters, 'sslcert')
  const key = readPem(parameters, 'sslkey')
  const minVersion = parameters.choice('ssl_min_protocol_version', secureVersions)
  const maxVersion = parameters.choice('ssl_max_protocol_version', secureVersions)
  if (mode === 'verify-ca' && ca === undefined) {
    throw parameters.refuse('has sslmode=verify-ca, which needs the certificate of the authority in sslrootcert; verify-full works without')
  }
  return hide({ ...verification(mode, ca !== undefined), ca, cert, key, minVersion, maxVersion }, 'key')
}

function verification (mode: Mode, hasAuthority: boolean): ConnectionOptions {
  if (mode === 'verify-full') return {}
  return hasAuthority && mode !== 'no-verify' ? anyHost : anyCertificate
}

function readPem (parameters: UrlParameters, name: string): string | undefined {
  const path = parameters.text(name)
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8')
  } catch {
    // The error of the file system holds the path, which is a part of the URL.
    throw parameters.refuse(`names a file in ${name} that cannot be read`)
  }
}

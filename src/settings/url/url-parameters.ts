import { SettingsError } from '../../errors/settings-error.js'

/** The supported parameters; any other is refused, because a misspelled `sslmode` must not go unnoticed. */
const parameterNames = [
  'host', 'port', 'dbname', 'user', 'password', 'target_session_attrs', 'load_balance_hosts',
  'application_name', 'fallback_application_name', 'options', 'client_encoding', 'connect_timeout', 'keepalives_idle', 'channel_binding',
  'sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'ssl_min_protocol_version', 'ssl_max_protocol_version', 'uselibpqcompat',
]

/** The longest time of a Node timer, in seconds. */
const LONGEST_SECONDS = 2_147_483

/** The parameters after the `?` of a connection URL. An empty one counts as absent, as in libpq. Its errors name a parameter, never its value. */
export class UrlParameters {
  readonly #values: ReadonlyMap<string, string>
  readonly #setting: string

  /** @param setting where the URL came from, for the errors */
  constructor (query: string, setting: string) {
    this.#setting = setting
    this.#values = new Map(query.split('&').filter((pair) => pair !== '').flatMap((pair) => this.#readPair(pair)))
  }

  text (name: string): string | undefined {
    return this.#values.get(name)
  }

  choice<Choice extends string> (name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name)
    const choice = choices.find((known) => known === text)
    if (text !== undefined && choice === undefined) throw this.refuse(`has a ${name} that does not exist; there are ${choices.join(', ')}`)
    return choice
  }

  /** Seconds as milliseconds; 0 means no limit, as in libpq, and counts as absent. */
  millis (name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined || text === '0') return undefined
    if (!/^\d+$/.test(text) || Number(text) > LONGEST_SECONDS) throw this.refuse(`has a ${name} that is not a whole number of seconds from 0 to ${LONGEST_SECONDS}`)
    return Number(text) * 1000
  }

  refuse (reason: string): SettingsError {
    return new SettingsError(this.#setting, reason)
  }

  #readPair (pair: string): Array<[string, string]> {
    const [name = '', ...rest] = pair.split('=')
    if (!parameterNames.includes(name)) throw this.refuse(`has a parameter after its "?" that means nothing here (a "?" in a password is written %3F); there are ${parameterNames.join(', ')}`)
    const value = decodePart(rest.join('='), this.#setting)
    return value === undefined ? [] : [[name, value]]
  }
}

/** Decodes a percent-encoded part of a connection URL; undefined if it is empty. As in libpq, `+` is not a space. */
export function decodePart (text: string | undefined, setting: string): string | undefined {
  if (text === undefined || text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformedUrl(setting)
  }
}

/** The error for a URL that cannot be split into its parts. */
export function malformedUrl (setting: string): SettingsError {
  return new SettingsError(setting, 'is not a URL of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE: percent-encode special characters in its parts (@ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25, a space as %20)')
}

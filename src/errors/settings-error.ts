/**
 * A setting that cannot be used: it names the setting as it was written (`pool.size`, `DATABASE_POOL_SIZE`) and never its value.
 *
 * It prevents a program from starting and is not meant for a client, so it has no status code.
 */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'DB_SETTINGS'
  /** The path of the option, or the name of the environment variable. */
  readonly setting: string

  constructor (setting: string, reason: string) {
    if ([setting, reason].some((given) => typeof given !== 'string')) throw new SettingsError('new SettingsError()', 'takes the name of a setting, and what is wrong with it: two texts')
    super(`${setting} ${reason}`)
    this.setting = setting
  }
}

import * as core from '../../src/index.js'
import { subcommands } from '../../src/migrations/cli/arguments.js'
import { details, overview } from '../../src/migrations/cli/help.js'
import { defaultOf, settingRows } from '../../src/settings/setting-table.js'
import { describe } from '../../src/settings/setting-values.js'
import type { SettingRow } from '../../src/settings/setting-table.js'
import type { SitePage } from '../pages.js'

/** Each class of errors with its code, its status, and whether a retry may help. */
export function errorTable (): string {
  const settings = new core.SettingsError('pool.size', 'is wrong')
  const rows = Object.entries(core).flatMap(([name, value]) => {
    if (typeof value !== 'function' || !(value.prototype instanceof Error)) return []
    const { defaults = { code: settings.code, statusCode: 'none' } } = value as { defaults?: { code: string, statusCode: number | string, retryable?: boolean } }
    return [`| \`${name}\` | \`${defaults.code}\` | ${defaults.statusCode} | ${'retryable' in defaults && defaults.retryable === true ? 'yes' : 'no'} |`]
  })
  return ['| class | code | status | retryable |', '|---|---|---|---|', ...rows].join('\n')
}

/** Each setting that is a single value: its variable, its option, its default and its valid values. */
export function environmentPage (): SitePage {
  const title = 'Environment variables'
  const summary = 'Every environment variable with its option, its default and the values that it accepts.'
  const rows: readonly SettingRow[] = settingRows
  const row = (setting: SettingRow): string => [
    setting.variable === undefined ? '' : `\`${setting.variable}\``, `\`${setting.path}\``, defaultText(setting), setting.meaning, `${describe(setting)}`
  ].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')
  const table = (head: string, all: readonly SettingRow[]): string => [head, '|---|---|---|---|---|', ...all.map((setting) => `| ${row(setting)} |`)].join('\n')
  const shared = rows.filter(({ platformVariable }) => platformVariable !== undefined)
    .map(({ variable, platformVariable }) => `\`${platformVariable}\`, which platforms set, gives the default of \`${variable}\` if its value is valid.`)
  return {
    path: 'reference/environment.md',
    title,
    summary,
    text: [
      `# ${title}`,
      summary,
      'An option in code wins over its variable. An empty variable counts as unset. A database with a `name` has the same variables with that name before them: `BILLING_DATABASE_URL`. [Settings](/settings.md) says more about each.',
      ...shared,
      '## Variables',
      table('| variable | option | default | meaning | must be |', rows.filter(({ variable }) => variable !== undefined)),
      '## Options without a variable',
      table('| | option | default | meaning | must be |', rows.filter(({ variable }) => variable === undefined)),
      'Options that are no single value are on the page [Plugin and options](/reference/plugin.md).'
    ].join('\n\n') + '\n'
  }
}

function defaultText (setting: SettingRow): string {
  const value = defaultOf(setting)
  if (value === undefined) return setting.variable === 'DATABASE_URL' ? 'required' : 'none'
  return `\`${value}\``
}

/** The help of the command and of each subcommand, as it prints it. */
export function commandPage (): SitePage {
  const title = 'The command'
  const summary = 'Every subcommand of `data-access` with its flags, as `--help` prints them.'
  const help = (text: string): string => `\`\`\`text\n${text.trimEnd()}\n\`\`\``
  return {
    path: 'reference/command.md',
    title,
    summary,
    text: [`# ${title}`, summary, '## data-access', help(overview), ...Object.entries(details).flatMap(([name, text]) => [name in subcommands ? `## migrate ${name}` : `## ${name}`, help(text)])].join('\n\n') + '\n'
  }
}

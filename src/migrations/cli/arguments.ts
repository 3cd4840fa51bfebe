import { parseArgs } from 'node:util'
import { CommandUsageError } from './usage-error.js'

const options = {
  config: { type: 'string' },
  folder: { type: 'string' },
  table: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  message: { type: 'string', short: 'm' },
  empty: { type: 'boolean' },
  rename: { type: 'string', multiple: true },
  'no-renames': { type: 'boolean' },
  to: { type: 'string' },
  steps: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'confirm-irreversible': { type: 'boolean' },
  write: { type: 'boolean' },
  back: { type: 'boolean' },
  all: { type: 'boolean' },
  'lock-timeout': { type: 'string' },
  schemas: { type: 'string' },
  'search-path': { type: 'string' },
  lock: { type: 'string' },
  'new-lock': { type: 'string' },
  from: { type: 'string' },
  first: { type: 'string' },
  role: { type: 'string' },
  sql: { type: 'string' },
  accept: { type: 'string', multiple: true },
  name: { type: 'string' },
  yes: { type: 'boolean', short: 'y' }
} as const

/** The parsed arguments of a call. */
export type Call = ReturnType<typeof parse>

/** The option values of a call. */
export type Values = Call['values']

type OptionName = keyof typeof options

const always: readonly OptionName[] = ['config', 'folder', 'json', 'help', 'version']
const database: readonly OptionName[] = ['table', 'url']
const runner: readonly OptionName[] = ['to', 'dry-run', 'lock-timeout', 'schemas', 'search-path']

/** The subcommands of `migrate`, with the options that each accepts. */
export const subcommands: Readonly<Record<string, readonly OptionName[]>> = {
  create: [...always, 'message', 'empty', 'rename', 'no-renames'],
  up: [...always, ...database, ...runner],
  down: [...always, ...database, ...runner, 'steps', 'confirm-irreversible'],
  status: [...always, ...database, 'schemas'],
  history: [...always, ...database],
  current: [...always, ...database],
  check: [...always, ...database, 'schemas'],
  lint: [...always, ...database, 'all'],
  'down-files': [...always],
  baseline: [...always, ...database, 'dry-run', 'lock-timeout'],
  upgrade: [...always, ...database, 'write', 'back', 'lock-timeout'],
  prove: [...always, ...database, 'lock', 'new-lock', 'from', 'first', 'role', 'sql', 'accept']
}

/** The options of `init`. */
const initOptions: readonly OptionName[] = ['name', 'url', 'yes', 'dry-run', 'json', 'help', 'version']

/**
 * Parses the arguments of a call.
 *
 * @throws {CommandUsageError} for an option that is unknown, or unknown to the subcommand
 */
export function readArguments (argv: readonly string[]): Call {
  const call = parse(argv)
  const [command, subcommand = ''] = call.positionals
  const known = command === 'init' ? initOptions : Object.hasOwn(subcommands, subcommand) ? subcommands[subcommand] : undefined
  const unknown = known === undefined ? undefined : Object.keys(call.values).find((name) => !known.includes(name as OptionName))
  if (unknown !== undefined) throw new CommandUsageError(`${command === 'init' ? command : `migrate ${subcommand}`} has no option --${unknown}`)
  return call
}

/**
 * The value of an option as a number.
 *
 * @throws {CommandUsageError} if it is not a number
 */
export function numberOf (values: Values, name: 'steps' | 'lock-timeout'): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  if (!/^\d+(\.\d+)?$/.test(text)) throw new CommandUsageError(`--${name} must be a number`)
  return Number(text)
}

/**
 * The pairs of `--rename old=new`: an empty object with `--no-renames`, and `undefined` without both options.
 *
 * @throws {CommandUsageError} for a value that is not a pair
 */
export function renamesOf ({ rename, 'no-renames': none = false }: Values): Record<string, string> | undefined {
  if (rename === undefined) return none ? {} : undefined
  return Object.fromEntries(rename.map((pair) => {
    const [from, to, ...more] = pair.split('=')
    if (!from || !to || more.length > 0) throw new CommandUsageError('--rename takes an old and a new name: --rename users.name=users.full_name')
    return [from, to]
  }))
}

/**
 * The schemas of `--schemas` and the search path behind them; undefined without the option.
 *
 * @throws {CommandUsageError} for a search path without schemas
 */
export function schemasOf ({ schemas, 'search-path': searchPath }: Values): { schemas: string, searchPath: string[] | undefined } | undefined {
  if (schemas !== undefined) return { schemas, searchPath: searchPath?.split(',').map((name) => name.trim()) }
  if (searchPath !== undefined) throw new CommandUsageError('--search-path follows the schemas of a run: give --schemas, too')
  return undefined
}

function parse (argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new CommandUsageError((error as Error).message, { cause: error })
  }
}

import { readFileSync } from 'node:fs'
import { canAsk } from '../../runtime/confirm.js'
import { ownPath } from '../../runtime/package-folder.js'
import { initService, type Initialized } from '../../init/init-service.js'
import { nameProblem } from '../../init/service-name.js'
import { urlProblem } from '../../init/ask-service.js'
import { readArguments, type Call, type Values } from './arguments.js'
import { failureOf, textOf } from './failure.js'
import { details, overview } from './help.js'
import { run, type Caller } from './subcommands.js'
import type { Report } from './report.js'
import { CommandUsageError } from './usage-error.js'

/** The parts of a process that the command uses. */
export interface Console {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** The exit codes. */
const exitCodes = { done: 0, failed: 1, wrongUse: 2, due: 3, interrupted: 130 } as const

/**
 * Runs the command `data-access`. It prints one result to standard output, and everything else to standard error.
 *
 * @param argv the arguments, without the paths of Node and of the script
 * @returns the exit code
 */
export async function runCommand (argv: readonly string[], console: Console): Promise<number> {
  const { stdout, stderr, signal } = console
  try {
    const call = readArguments(argv)
    const text = textFor(call)
    if (text !== undefined) {
      stdout.write(text)
      return exitCodes.done
    }
    const { document, text: answer, isDue = false, isFailed = false } = await subcommandOf(call)(call.values, {
      ...console, files: call.positionals.slice(2), terminal: { input: console.stdin, output: stderr }, log: (line) => { stderr.write(`${line}\n`) }
    })
    stdout.write(`${call.values.json === true ? JSON.stringify(document) : answer}\n`)
    if (isFailed) return signal.aborted ? exitCodes.interrupted : exitCodes.failed
    return isDue ? exitCodes.due : exitCodes.done
  } catch (error) {
    const failure = failureOf(error)
    stderr.write(`${textOf(failure)}\n`)
    if (argv.includes('--json')) stdout.write(`${JSON.stringify({ error: failure })}\n`)
    if (error instanceof CommandUsageError) return exitCodes.wrongUse
    return signal.aborted ? exitCodes.interrupted : exitCodes.failed
  }
}

/** The help or version text, if the call asks for one. */
function textFor ({ values, positionals: [first, second = first] }: Call): string | undefined {
  if (values.version === true) return `${version()}\n`
  if (values.help === true) return (second !== undefined && Object.hasOwn(details, second) ? details[second] : undefined) ?? overview
  return first === undefined ? overview : undefined
}

function subcommandOf ({ positionals: [command, subcommand, ...more] }: Call) {
  if (command === 'init') {
    if (subcommand !== undefined) throw new CommandUsageError('init takes no argument: it works in the current folder. Make the folder, and call it there')
    return init
  }
  const known = subcommand !== undefined && Object.hasOwn(run, subcommand) ? run[subcommand] : undefined
  if (command !== 'migrate' || known === undefined) throw new CommandUsageError(`Unknown command ${[command, subcommand].join(' ').trim()}: data-access --help lists the commands`)
  if (more.length > 0 && subcommand !== 'lint') throw new CommandUsageError(`migrate ${subcommand} takes no argument ${more.join(' ')}`)
  return known
}

/**
 * The command `data-access init`. It asks in a terminal only.
 *
 * @throws {CommandUsageError} for a name or a URL that cannot be used
 */
async function init ({ name, url, yes = false, 'dry-run': dryRun = false }: Values, { cwd, env, terminal, signal }: Caller): Promise<Report> {
  const problem = (name === undefined ? undefined : nameProblem(name)) ?? (url === undefined ? undefined : urlProblem(url))
  if (problem !== undefined) throw new CommandUsageError(problem)
  const asks = !yes && !dryRun && canAsk(terminal, env)
  const document = await initService({ folder: cwd, name, url, dryRun, signal, terminal: asks ? terminal : undefined })
  return { document, text: initText(document, dryRun) }
}

/** The text that is printed without `--json`. */
function initText ({ written, added, kept, advice, next }: Initialized, dryRun: boolean): string {
  const changes = [...written, ...added.length === 0 ? [] : [`package.json, with ${added.join(', ')}`]]
  const paragraphs = [
    changes.length === 0 ? 'Nothing to write: everything is there already' : list(dryRun ? 'Would write' : 'Wrote', changes),
    ...kept.length === 0 ? [] : [list('Left as they are', kept)],
    ...advice,
    list('Next', next)
  ]
  return paragraphs.join('\n\n')
}

function list (headline: string, entries: readonly string[]): string {
  return [headline, ...entries.map((entry) => `  ${entry}`)].join('\n')
}

function version (): string {
  const { version } = JSON.parse(readFileSync(ownPath('package.json'), 'utf8')) as { version: string }
  return version
}

import { initService, type Initialized } from '../../init/init-service.js'
import { nameProblem } from '../../init/service-name.js'
import { urlProblem } from '../../init/ask-service.js'
import type { Values } from './arguments.js'
import type { Report } from './report.js'
import type { Caller } from './subcommands.js'
import { CommandUsageError } from './usage-error.js'

/**
 * The command `data-access init`. It asks in a terminal only.
 *
 * @throws {CommandUsageError} for a name or a URL that cannot be used
 */
export async function init ({ name, url, yes = false, 'dry-run': dryRun = false }: Values, { cwd, terminal, signal }: Caller): Promise<Report> {
  const problem = (name === undefined ? undefined : nameProblem(name)) ?? (url === undefined ? undefined : urlProblem(url))
  if (problem !== undefined) throw new CommandUsageError(problem)
  const asks = !yes && !dryRun && terminal.input.isTTY === true
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

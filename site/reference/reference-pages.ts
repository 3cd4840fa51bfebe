import { decorators } from './decorators.js'
import { doors } from './doors.js'
import { readExports } from './exports.js'
import { commandPage, environmentPage, errorTable } from './tables.js'
import { exportsOf, topicOf, topics } from './topics.js'
import { withLinks, writeExport } from './write-export.js'
import type ts from 'typescript'
import type { SitePage } from '../pages.js'
import type { Export } from './exports.js'
import type { Topic } from './topics.js'
import type { Places } from './write-export.js'

/** The paths of the pages that are made from the source. */
export const referencePaths = ['reference/index.md', ...topics.map(({ path }) => path), 'reference/environment.md', 'reference/command.md']

/** The pages that are made from the source: every export, error, environment variable and command. */
export function referencePages (program: ts.Program): SitePage[] {
  const checker = program.getTypeChecker()
  const exports = readExports(program)
  const placesOn = new Map(topics.map((topic) => [topic, placesFor(topic, exports)]))
  const listed = Array.from(placesOn, ([topic, places]): SitePage => {
    const { path, title, summary } = topic
    const sections = exportsOf(topic, exports).map((exported) => writeExport(exported, checker, places))
    const before = path === 'reference/errors.md' ? [errorTable()] : path === 'reference/plugin.md' ? [decorators(program)] : []
    return { path, title, summary, text: [`# ${title}`, summary, ...before.map((text) => withLinks(text, places)), ...sections].join('\n\n') + '\n' }
  })
  return [indexPage(exports, placesOn), ...listed, environmentPage(), commandPage()]
}

/** Where a page finds each export: two entry points may use a name for two things, of which a page means its own. */
function placesFor (topic: Topic, exports: readonly Export[]): Places {
  const own = exports.filter((exported) => topicOf(exported) === topic)
  return new Map([...exports, ...own].map((exported) => [exported.name, { link: placeOf(exported), sentence: firstSentence(exported.docs.text) }]))
}

function placeOf (exported: Export): string {
  return `/${topicOf(exported).path}#${exported.name}`
}

/** Every export of every entry point, with a link to its section. */
function indexPage (exports: readonly Export[], placesOn: ReadonlyMap<Topic, Places>): SitePage {
  const title = 'Exports'
  const summary = 'Every export of the package, by the entry point that has it. These pages are made from the source.'
  const tables = doors.map((door) => {
    const rows = exports.filter((exported) => exported.doors.includes(door.name)).map((exported) =>
      `| [\`${exported.name}\`](${placeOf(exported)}) | ${exported.kind} | ${withLinks(firstSentence(exported.docs.text), placesOn.get(topicOf(exported)) ?? new Map()).replaceAll('|', '\\|')} |`)
    return [`## ${door.name}`, ['| name | kind | what it is |', '|---|---|---|', ...rows].join('\n')].join('\n\n')
  })
  return { path: 'reference/index.md', title, summary, text: [`# ${title}`, summary, ...tables].join('\n\n') + '\n' }
}

function firstSentence (text: string): string {
  const [sentence = ''] = /^.*?[.](?=\s|$)|^.*$/s.exec(text.split('\n\n')[0] ?? '') ?? []
  return sentence.replace(/\s+/g, ' ')
}

/**
 * Every mutant of a file, made from its syntax tree: they change with the code, and nobody has to keep them.
 */
import ts from 'typescript'
import { editsOf, isSpared } from './mutators.js'
import type { Mutant } from './plant.js'
import type { SourceFile } from '../house/source-files.js'

/** All mutants of a file, in the order of its lines. Titles are unique in it, and do not change with code elsewhere. */
export function mutantsOf ({ path, text }: SourceFile): Mutant[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const mutants: Mutant[] = []
  const titles = new Map<string, number>()
  const visit = (node: ts.Node): void => {
    if (isSpared(node)) return
    for (const { text: replacement, through = node } of editsOf(node)) {
      const span = { start: node.getStart(), end: through.end }
      const title = titleOf(node, source.text.slice(span.start, span.end), replacement)
      const times = (titles.get(title) ?? 0) + 1
      titles.set(title, times)
      mutants.push({ title: times === 1 ? title : `${title} (${times})`, file: path, ...widen(text, span, replacement) })
    }
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(source, visit)
  return mutants
}

function titleOf (node: ts.Node, before: string, after: string): string {
  return `${placeOf(node)}: ${shorten(before)} becomes ${after === '' ? 'nothing' : shorten(after)}`
}

function shorten (code: string): string {
  const line = code.replace(/\s+/g, ' ')
  return `\`${line}\``
}

/** The names of what is around, from the class down to the function. */
function placeOf (node: ts.Node): string {
  const names: string[] = []
  for (let around = node; !ts.isSourceFile(around); around = around.parent) {
    if (ts.isConstructorDeclaration(around)) names.unshift('constructor')
    else if (isNamed(around)) names.unshift(around.name.getText())
  }
  return names.length === 0 ? 'module' : names.join('.')
}

function isNamed (node: ts.Node): node is ts.NamedDeclaration & { name: ts.Node } {
  return (ts.isClassLike(node) ||
    ts.isFunctionLike(node) ||
    ts.isPropertyDeclaration(node) ||
    (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name))) &&
    node.name !== undefined
}

/** Takes in more of the lines around, until the text stands there once. */
function widen (text: string, { start, end }: { start: number, end: number }, replacement: string): { find: string, replace: string } {
  let [from, to] = [start, end]
  while (text.split(text.slice(from, to)).length !== 2) {
    from = Math.max(text.lastIndexOf('\n', from - 2) + 1, 0)
    to = text.indexOf('\n', to + 1)
    if (to === -1) to = text.length
  }
  return { find: text.slice(from, to), replace: text.slice(from, start) + replacement + text.slice(end, to) }
}

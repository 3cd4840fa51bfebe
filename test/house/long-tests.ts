import ts from 'typescript'
import type { SourceFile } from './source-files.js'

const mostLines = 300
const mostColumns = 160

/** Test files with too many lines, and test lines that are too long even without the texts in them. */
export function findLongTests (files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => /^test\/(?!types\/).*\.ts$/.test(path)).flatMap(({ path, text }) => {
    const lines = withoutTexts(path, text).trimEnd().split('\n')
    return [
      ...lines.length > mostLines ? [`${path} has ${lines.length} lines`] : [],
      ...lines.flatMap((line, index) => line.length > mostColumns ? [`${path}:${index + 1} has ${line.length} characters outside texts`] : [])
    ]
  })
}

/** A file with each string, template and regular expression cut out; their line breaks stay, so that line numbers do not change. */
function withoutTexts (path: string, text: string): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const pieces: string[] = []
  let end = 0
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node) || ts.isRegularExpressionLiteral(node)) {
      pieces.push(text.slice(end, node.getStart(source)), text.slice(node.getStart(source), node.end).replace(/[^\n]/g, ''))
      end = node.end
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return pieces.join('') + text.slice(end)
}

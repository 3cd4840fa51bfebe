import ts from 'typescript'
import type { SourceFile } from './source-files.js'

interface Rule {
  readonly files: RegExp
  readonly pattern: RegExp
  readonly complaint: string
}

const everyFile = /./
const code = /\.(ts|js|mjs|cjs)$/

const rules: readonly Rule[] = [
  { files: everyFile, pattern: /(?<![\w.*~-])\/(work|root|home\/\w+|Users\/\w+)\//, complaint: 'names a path of one machine' },
  { files: everyFile, pattern: /\.\.\/shared\b/, complaint: 'names a folder outside of the project' },
  {
    files: everyFile,
    pattern: /\bregistry\.[\w-]+\.\w+|\bnpmjs\.(org|com)\b|\byarnpkg\.com\b|\bnpm\.pkg\.github\b|"resolved":/,
    complaint: 'names a package registry'
  },
  { files: code, pattern: /\b(t|it|test|tap|suite|describe)\.(only|skip|todo)\(/, complaint: 'leaves a test out' },
  { files: code, pattern: /\b(test|it|describe)\(['"`].*\{[^}]*\b(only|skip|todo):/, complaint: 'leaves a test out' },
  { files: code, pattern: /\b(c8|v8|istanbul|node:coverage) (ignore|disable)\b/, complaint: 'hides code from the coverage' },
  { files: code, pattern: /@ts-(ignore|nocheck)\b/, complaint: 'silences the compiler' },
  { files: code, pattern: /\b(TODO|FIXME|XXX)\b/, complaint: 'leaves work for later' }
]

/** Forbidden content of a file of the project, as `path:line complaint`. */
export function findMarks (file: SourceFile): string[] {
  const lines = file.text.split('\n')
  const marks = rules.filter((rule) => rule.files.test(file.path)).flatMap((rule) =>
    lines.flatMap((line, index) => rule.pattern.test(line) ? [`${file.path}:${index + 1} ${rule.complaint}`] : []))
  return [...marks, ...findAny(file)]
}

/** Uses of the type `any`; the word in prose does not count. */
function findAny ({ path, text }: SourceFile): string[] {
  if (!path.endsWith('.ts')) return []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      found.push(`${path}:${source.getLineAndCharacterOfPosition(node.pos).line + 1} gives up on types`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

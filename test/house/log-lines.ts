import ts from 'typescript'
import type { SourceFile } from './source-files.js'

/** A line that the package writes into the log, as its source shows it. */
export interface LogLine {
  readonly level: string
  /** Values in it are `…`. */
  readonly message: string
  /** The names of its fields; `…` for those of another object. */
  readonly fields: readonly string[]
}

const levels = new Set(['debug', 'info', 'warn', 'error'])

/** All log lines of the given files. */
export function logLinesOf (files: readonly SourceFile[]): LogLine[] {
  return files.flatMap(({ path, text }) => linesOf(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)))
}

function linesOf (file: ts.SourceFile): LogLine[] {
  const found: LogLine[] = []
  const constants = constantsOf(file)
  const visit = (node: ts.Node): void => {
    const method = ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) ? node.expression : undefined
    if (ts.isCallExpression(node) && method !== undefined && levels.has(method.name.text) && isLogger(method.expression)) {
      const given = node.arguments.length === 1 ? [undefined, node.arguments[0]] as const : [node.arguments[0], node.arguments[1]] as const
      found.push({ level: method.name.text, fields: fieldsOf(given[0]), message: textOf(given[1], constants) })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** `logger`, `log`, and a property of that name. */
function isLogger (node: ts.Expression): boolean {
  return /^(?:logger|log)$/.test(ts.isPropertyAccessExpression(node) ? node.name.text : node.getText())
}

function fieldsOf (node: ts.Expression | undefined): string[] {
  if (node === undefined) return []
  if (!ts.isObjectLiteralExpression(node)) return ['…']
  return node.properties.map((property) => property.name?.getText() ?? '…')
}

type Constants = ReadonlyMap<string, ts.Expression>

function constantsOf (file: ts.SourceFile): Constants {
  const constants = new Map<string, ts.Expression>()
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) constants.set(node.name.getText(), node.initializer)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return constants
}

function textOf (node: ts.Expression | undefined, constants: Constants): string {
  if (node === undefined) return '…'
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map(({ literal }) => `…${literal.text}`)].join('')
  if (ts.isBinaryExpression(node)) return textOf(node.left, constants) + textOf(node.right, constants)
  if (ts.isCallExpression(node)) return textOf(node.arguments.at(-1), constants)
  const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined
  return constant === undefined || constant === node ? '…' : textOf(constant, constants)
}

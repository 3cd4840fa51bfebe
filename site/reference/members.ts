import ts from 'typescript'
import { readDocs } from './docs.js'
import type { Docs } from './docs.js'
import type { Export } from './exports.js'

/** A property or a method of an export. */
export interface Member {
  readonly name: string
  readonly isMethod: boolean
  readonly isStatic: boolean
  readonly isOptional: boolean
  readonly isProtected: boolean
  /** Its declarations, without bodies: one for each overload. Of a property, its type. */
  readonly signatures: readonly string[]
  readonly docs: Docs
}

/**
 * The public members of a class, an interface or a type of an object, inherited ones included. Those of libraries are left out, and those that
 * a class inherits from another export, which has them in its own section.
 */
export function readMembers ({ symbol, kind, declaration, isExported }: Export, checker: ts.TypeChecker): Member[] {
  if (kind === 'function' || kind === 'value') return []
  if (kind === 'type' && !isObject(declaration)) return []
  const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
  const statics = kind === 'class' ? checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)).filter(({ name }) => name !== 'prototype') : []
  const isOwn = ({ parent }: ts.Symbol & { parent?: ts.Symbol }): boolean => kind !== 'class' || parent === symbol || parent === undefined || !isExported(parent)
  return [
    ...statics.filter(isOwn).flatMap((property) => memberOf(property, checker, true)),
    ...properties.filter(isOwn).flatMap((property) => memberOf(property, checker, false))
  ]
}

/** A type that lists properties: an object, or several of them together. */
function isObject (declaration: ts.Declaration): boolean {
  const isOne = (node: ts.TypeNode): boolean => ts.isTypeLiteralNode(node) || ts.isTypeReferenceNode(node)
  if (!ts.isTypeAliasDeclaration(declaration) || declaration.typeParameters !== undefined) return false
  const { type } = declaration
  return ts.isTypeLiteralNode(type) || (ts.isIntersectionTypeNode(type) && type.types.every(isOne))
}

function memberOf (property: ts.Symbol, checker: ts.TypeChecker, isStatic: boolean): Member[] {
  const declarations = (property.declarations ?? []).filter((declaration) => !isHidden(declaration))
  const [first] = declarations
  // `defaults` of errors: their code and status are in a table of their own.
  if (first === undefined || property.name.startsWith('__') || property.name.startsWith('#') || property.name === 'defaults') return []
  const callables = declarations.filter((declaration): declaration is ts.MethodDeclaration | ts.MethodSignature => ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration))
  // The last of several declarations of a method is what implements the overloads before it.
  const shown = callables.length > 1 && callables.some((declaration) => 'body' in declaration && declaration.body !== undefined)
    ? callables.filter((declaration) => !('body' in declaration && declaration.body !== undefined))
    : callables
  return [{
    name: property.name,
    isMethod: callables.length > 0,
    isStatic,
    isOptional: (property.flags & ts.SymbolFlags.Optional) !== 0,
    isProtected: (ts.getCombinedModifierFlags(first) & ts.ModifierFlags.Protected) !== 0,
    signatures: callables.length > 0 ? shown.map((declaration) => signatureOf(declaration)) : [typeOf(property, first, checker)],
    docs: readDocs(property, checker)
  }]
}

function isHidden (declaration: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) !== 0 ||
    declaration.getSourceFile().fileName.includes('/node_modules/') ||
    ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal')
}

/** A function or method as its caller sees it: without its body. */
export function signatureOf (declaration: ts.SignatureDeclaration): string {
  const body = 'body' in declaration ? declaration.body as ts.Node | undefined : undefined
  const text = declaration.getSourceFile().text.slice(declaration.getStart(), body?.getFullStart() ?? declaration.end)
  return outdent(text.replace(/^(?:(?:export|default|public|protected|static|override|async|declare) )+/, '').trim())
}

/** The declared type of a property; where none is written, what the compiler makes of it. */
function typeOf (property: ts.Symbol, declaration: ts.Declaration, checker: ts.TypeChecker): string {
  const written = (declaration as { type?: ts.TypeNode }).type
  const text = written?.getText() ?? checker.typeToString(checker.getTypeOfSymbolAtLocation(property, declaration), undefined, ts.TypeFormatFlags.NoTruncation)
  return text.replace(/\/\*\*?.*?\*\/\s*/gs, '').replace(/\s+/g, ' ').replace(/ \| undefined$/, '')
}

/** Lines after the first lose the indentation that all of them share. */
export function outdent (text: string): string {
  const [first = '', ...rest] = text.split('\n')
  const widths = rest.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length)
  const width = Math.min(...widths)
  return [first, ...rest.map((line) => line.slice(Number.isFinite(width) ? Math.min(width, line.length - line.trimStart().length) : 0))].join('\n').replace(/\n(?!\s|[)}\]|&:?])/g, '\n  ')
}

import { posix } from 'node:path'
import ts from 'typescript'
import type { SourceFile } from './source-files.js'

/** One arrow of the import graph: a file, and the file or package that it imports. */
export interface Import {
  readonly from: string
  /** A path from the root for a file of the tree, the specifier as written for a package. */
  readonly to: string
  readonly isPackage: boolean
  /** `import()`: at run time, but not while modules load. */
  readonly lazy: boolean
}

/** Every import, re-export, `import()` and imported type of the TypeScript files given. */
export function readImports (files: readonly SourceFile[]): Import[] {
  return files.filter((file) => file.path.endsWith('.ts')).flatMap(importsOf)
}

function importsOf (file: SourceFile): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, lazy: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return
    const isPackage = !specifier.text.startsWith('.')
    const to = isPackage ? specifier.text : resolve(file.path, specifier.text)
    found.push({ from: file.path, to, isPackage, lazy })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, false)
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, false)
    } else if (ts.isCallExpression(node) && isLoading(node.expression)) {
      add(node.arguments[0], true)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest))
  return found
}

function isLoading (callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}

function resolve (from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

/** Each circle of modules that import one another, as `a.ts -> b.ts -> a.ts`; type imports count, `import()` does not. */
export function findCircles (imports: readonly Import[]): string[] {
  const arrows = new Map<string, string[]>()
  for (const { from, to, isPackage, lazy } of imports) {
    if (!isPackage && !lazy) arrows.set(from, [...arrows.get(from) ?? [], to])
  }
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start >= 0) circles.push([...trail.slice(start), file].join(' -> '))
    if (start >= 0 || done.has(file)) return
    for (const next of arrows.get(file) ?? []) walk(next, [...trail, file])
    done.add(file)
  }
  for (const file of arrows.keys()) walk(file, [])
  return circles
}

import { join, relative } from 'node:path'
import ts from 'typescript'
import { root } from '../pages.js'
import { doors } from './doors.js'
import { readDocs } from './docs.js'
import type { Docs } from './docs.js'

/** One export of the package. */
export interface Export {
  readonly name: string
  /** The entry points that have it. */
  readonly doors: readonly string[]
  readonly kind: 'class' | 'function' | 'interface' | 'type' | 'value'
  /** The file that declares it, from the root of the project. */
  readonly file: string
  readonly symbol: ts.Symbol
  readonly declaration: ts.Declaration
  readonly docs: Docs
  /** Whether a symbol is an export of the package. */
  readonly isExported: (symbol: ts.Symbol) => boolean
}

/** Every export of every entry point, each once, in the order of the entry points and then of names. The default export is one under its own name, too. */
export function readExports (program: ts.Program): Export[] {
  const checker = program.getTypeChecker()
  const found = new Map<string, Export>()
  const symbols = new Set<ts.Symbol>()
  for (const door of doors) {
    for (const exported of exportsOf(program, door.file)) {
      const symbol = (exported.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(exported) : exported
      const declaration = symbol.declarations?.[0]
      if (exported.name === 'default' || declaration === undefined) continue
      const file = relative(root, declaration.getSourceFile().fileName).replaceAll('\\', '/')
      const key = `${file} ${exported.name}`
      const before = found.get(key)
      symbols.add(symbol)
      found.set(key, {
        name: exported.name,
        doors: [...before?.doors ?? [], door.name],
        kind: kindOf(symbol),
        file,
        symbol,
        declaration,
        docs: readDocs(symbol, checker),
        isExported: (other) => symbols.has(other)
      })
    }
  }
  return [...found.values()].sort((a, b) => doorOf(a) - doorOf(b) || (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
}

/** The exported symbols of a file. */
function exportsOf (program: ts.Program, file: string): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(join(root, file))
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  return symbol === undefined ? [] : checker.getExportsOfModule(symbol)
}

function doorOf ({ doors: [first] }: Export): number {
  return doors.findIndex(({ name }) => name === first)
}

function kindOf ({ flags }: ts.Symbol): Export['kind'] {
  if ((flags & ts.SymbolFlags.Class) !== 0) return 'class'
  if ((flags & ts.SymbolFlags.Function) !== 0) return 'function'
  if ((flags & ts.SymbolFlags.Interface) !== 0) return 'interface'
  if ((flags & ts.SymbolFlags.TypeAlias) !== 0) return 'type'
  return 'value'
}

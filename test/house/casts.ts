import ts from 'typescript'

type Library = 'pg' | 'drizzle'

const libraries: ReadonlyArray<readonly [RegExp, Library]> = [
  [/\/node_modules\/(@types\/)?pg(-protocol|-pool)?\//, 'pg'],
  [/\/node_modules\/drizzle-orm\//, 'drizzle']
]

/** The only room that may use undocumented parts of a library. */
const home: Record<Library, RegExp> = { pg: /^src\/pg\//, drizzle: /^src\/drizzle\// }

/**
 * Finds assertions that bypass a library's types: they give a value of such a type a type that the library does not declare. An
 * assertion from one type of a library to another of the same library is allowed.
 *
 * @param root the folder that is read; paths are shown relative to it
 */
export function findLooksBehind (root: string, program: ts.Program): string[] {
  const checker = program.getTypeChecker()
  const found: string[] = []
  for (const source of program.getSourceFiles()) {
    const path = source.fileName.slice(root.length + 1)
    if (!source.fileName.startsWith(`${root}/`) || !/^(src|plugins)\//.test(path)) continue
    const visit = (node: ts.Node): void => {
      if (ts.isAsExpression(node) && !ts.isAsExpression(node.parent)) {
        const library = lookedBehind(node, checker)
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
        if (library !== undefined && !home[library].test(path)) found.push(`${path}:${line + 1} looks behind the types of ${library}: ${node.getText(source)}`)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return found
}

/** The library whose types an assertion bypasses, if there is one. */
function lookedBehind (node: ts.AsExpression, checker: ts.TypeChecker): Library | undefined {
  let given: ts.Expression = node
  while (ts.isAsExpression(given) || ts.isParenthesizedExpression(given)) given = given.expression
  const [library] = librariesOf(checker.getTypeAtLocation(given), checker)
  const target = checker.getTypeFromTypeNode(node.type)
  const isConst = ts.isTypeReferenceNode(node.type) && node.type.getText() === 'const'
  return library === undefined || isConst || librariesOf(target, checker).includes(library) ? undefined : library
}

/** The libraries that declare a type, its parts or its constraint. */
function librariesOf (type: ts.Type, checker: ts.TypeChecker): Library[] {
  const files = [type.symbol, type.aliasSymbol].flatMap((symbol) => symbol?.declarations ?? []).map((declaration) => declaration.getSourceFile().fileName)
  const own = libraries.filter(([pattern]) => files.some((file) => pattern.test(file))).map(([, library]) => library)
  const parts = type.isUnionOrIntersection() ? type.types : []
  const bound = checker.getBaseConstraintOfType(type)
  return [...own, ...[...parts, ...bound === undefined || bound === type ? [] : [bound]].flatMap((part) => librariesOf(part, checker))]
}

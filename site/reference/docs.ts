import ts from 'typescript'

/** What the docstring of a symbol says. */
export interface Docs {
  readonly text: string
  readonly throws: readonly string[]
  readonly parameters: readonly string[]
  readonly returns: string | undefined
  readonly defaultValue: string | undefined
  readonly deprecated: string | undefined
  /** Markdown, with its code in fences. */
  readonly examples: readonly string[]
}

const inherited = /\{@inheritDoc (\w+)\}/

/** Reads the docstring of a symbol. `{@inheritDoc name}` stands for that of another declaration of the same file. */
export function readDocs (symbol: ts.Symbol, checker: ts.TypeChecker): Docs {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
  const original = inheritedFrom(symbol, checker)
  if (original !== undefined) return readDocs(original, checker)
  const tags = symbol.getJsDocTags(checker)
  const all = (...names: string[]): string[] => tags.filter(({ name }) => names.includes(name)).map((tag) => ts.displayPartsToString(tag.text).trim())
  return {
    text,
    throws: throwsOf(symbol) ?? all('throws'),
    parameters: all('param'),
    returns: all('returns')[0],
    defaultValue: all('defaultValue')[0],
    deprecated: all('deprecated')[0],
    examples: all('example')
  }
}

function inheritedFrom (symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol | undefined {
  const source = symbol.declarations?.[0]?.getSourceFile()
  const [, name] = inherited.exec(ts.displayPartsToString(symbol.getDocumentationComment(checker)) || commentOf(symbol)) ?? []
  const declared = source?.statements.find((statement) => ts.isFunctionDeclaration(statement) && statement.name?.text === name) as ts.FunctionDeclaration | undefined
  return declared?.name === undefined ? undefined : checker.getSymbolAtLocation(declared.name)
}

/** The comment as it is written, where the compiler gives none. */
function commentOf (symbol: ts.Symbol): string {
  const declaration = symbol.declarations?.[0]
  if (declaration === undefined) return ''
  const text = declaration.getSourceFile().text
  return text.slice(declaration.getFullStart(), declaration.end).split('*/')[0] ?? ''
}

/** The compiler takes the name in `@throws {@link Name}` for a type, and loses it: the text itself is read. */
function throwsOf (symbol: ts.Symbol): string[] | undefined {
  const tags = (symbol.declarations ?? []).flatMap((declaration) => ts.getJSDocTags(declaration)).filter(({ tagName }) => tagName.text === 'throws')
  if (tags.length === 0) return undefined
  return tags.map(textOf)
}

/** The text of a tag in one line. For the compiler a tag ends at a link that it took for a type, so the source is read, up to the next tag. */
function textOf ({ tagName, parent }: ts.JSDocTag): string {
  const comment = parent.getSourceFile().text.slice(tagName.end, parent.end)
  return comment.replace(/(?:\n\s*\*\s*@|\*\/$).*/s, '').replace(/\s*\n\s*\*?\s*/g, ' ').trim().replace(/^\{@link (\w+)\}/, '$1')
}

/**
 * What a tired programmer does to a piece of code. Types and texts are left alone.
 */
import ts from 'typescript'

/** What may stand in place of a node; `through` is the last of several nodes. */
export interface Edit {
  readonly text: string
  readonly through?: ts.Node
}

type Mutator = (node: ts.Node) => ReadonlyArray<Edit | string>

const { SyntaxKind } = ts

const opposites = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.AsteriskToken, '/'],
  [SyntaxKind.SlashToken, '*']
])
const choices = new Set([SyntaxKind.AmpersandAmpersandToken, SyntaxKind.BarBarToken, SyntaxKind.QuestionQuestionToken])
const assignments = new Set([SyntaxKind.QuestionQuestionEqualsToken, SyntaxKind.BarBarEqualsToken])
/** Calls that make their first argument careful. */
const wrappers = new Set(['handled', 'toDatabaseError', 'jittered', 'Math.ceil', 'Math.round'])
/** Calls that make careful what they are called on. */
const endings = new Set(['catch', 'unref', 'trimEnd'])

/** A decision is always the same. Of a choice, one of the two is left to {@link compare}, which shows the same and more. */
const decide: Mutator = (node) => {
  if (!isCondition(node)) return []
  const kind = ts.isBinaryExpression(node) ? node.operatorToken.kind : undefined
  return ['true', 'false'].filter((text) => !(text === 'true' && (kind === SyntaxKind.AmpersandAmpersandToken || isLoop(node.parent))) &&
    !(text === 'false' && kind === SyntaxKind.BarBarToken))
}

function isCondition (node: ts.Node): boolean {
  const { parent } = node
  return ((ts.isIfStatement(parent) || ts.isWhileStatement(parent)) && parent.expression === node) ||
    ((ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node)
}

function isLoop (node: ts.Node): boolean { return ts.isWhileStatement(node) || ts.isForStatement(node) }

/** A part of a condition is forgotten, a first value is not kept, a comparison is turned round or off by one. */
const compare: Mutator = (node) => {
  if (!ts.isBinaryExpression(node)) return []
  const { left, operatorToken: { kind }, right } = node
  if (choices.has(kind)) return isPartOfChoice(node) ? [] : withoutOne(node)
  if (assignments.has(kind)) return [`${left.getText()} = ${right.getText()}`]
  const opposite = opposites.get(kind)
  return opposite === undefined || (isEquality(node) && isDecided(node)) ? [] : [`${left.getText()} ${opposite} ${right.getText()}`]
}

/** A choice, each time without another one of its parts. */
function withoutOne (choice: ts.BinaryExpression): string[] {
  const parts = partsOf(choice, choice.operatorToken.kind)
  return parts.map((left) => parts.filter((part) => part !== left).map((part) => part.getText()).join(` ${choice.operatorToken.getText()} `))
}

function partsOf (node: ts.Expression, kind: ts.SyntaxKind): ts.Expression[] {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === kind ? [...partsOf(node.left, kind), ...partsOf(node.right, kind)] : [node]
}

function isPartOfChoice ({ parent, operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === kind
}

function isEquality (node: ts.Node): boolean {
  return ts.isBinaryExpression(node) &&
    (node.operatorToken.kind === SyntaxKind.EqualsEqualsEqualsToken || node.operatorToken.kind === SyntaxKind.ExclamationEqualsEqualsToken)
}

/** Whether another mutant makes this condition always true or always false already. */
function isDecided (node: ts.Node): boolean {
  const { parent } = node
  return isCondition(node) || (ts.isBinaryExpression(parent) && choices.has(parent.operatorToken.kind))
}

/** A `not` is forgotten, or a count goes the wrong way. */
const turn: Mutator = (node) => {
  if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return []
  if (node.operator === SyntaxKind.PlusPlusToken) return [node.getText().replace('++', '--')]
  if (node.operator === SyntaxKind.MinusMinusToken) return [node.getText().replace('--', '++')]
  return node.operator === SyntaxKind.ExclamationToken && !isDecided(node) ? [node.operand.getText()] : []
}

/** A constant is another one. */
const change: Mutator = (node) => {
  if (node.kind === SyntaxKind.TrueKeyword) return ['false']
  if (node.kind === SyntaxKind.FalseKeyword) return ['true']
  return ts.isNumericLiteral(node) && !isEquality(node.parent) ? [node.text === '0' ? '1' : '0'] : []
}

/** Something is not done, or not waited for. */
const forget: Mutator = (node) => {
  if (ts.isExpressionStatement(node) || ts.isThrowStatement(node)) return [ts.isBlock(node.parent) ? '' : '{}']
  if (ts.isReturnStatement(node) && ts.isIfStatement(node.parent)) return node.getChildren().filter(ts.isCallExpression).map((call) => call.getText())
  return ts.isAwaitExpression(node) && !isLast(node) ? [node.expression.getText()] : []
}

/** Outside of a `try`, `return await x` waits for what whoever called waits for anyway. */
function isLast ({ parent }: ts.AwaitExpression): boolean {
  if (!ts.isReturnStatement(parent)) return false
  for (let { parent: around } = parent; !ts.isFunctionLike(around); around = around.parent) if (ts.isTryStatement(around)) return false
  return true
}

/** Two things are done in the wrong order. */
const swap: Mutator = (node) => {
  if (!isCall(node) || !ts.isBlock(node.parent)) return []
  const next = node.parent.statements[node.parent.statements.indexOf(node) + 1]
  return isCall(next) ? [{ text: `${next.getText()}; ${node.getText()}`, through: next }] : []
}

function isCall (node: ts.Node | undefined): node is ts.ExpressionStatement {
  return node !== undefined && ts.isExpressionStatement(node) && (ts.isCallExpression(node.expression) || ts.isAwaitExpression(node.expression))
}

/** A function does nothing, or answers nothing. */
const empty: Mutator = (node) => ts.isArrowFunction(node.parent) && node.parent.body === node && !ts.isBlock(node) ? ['undefined'] : []

/** A call lacks what made it careful. */
const unwrap: Mutator = (node) => {
  if (isOptional(node)) return [node.getText().replace(/\?\.(?=[([])|\?(?=\.)/, '')]
  if (!ts.isCallExpression(node)) return []
  const { expression: called, arguments: [first] } = node
  if (called.getText() === 'Math.min') return [node.getText().replace('min', 'max')]
  if (called.getText() === 'Math.max') return [node.getText().replace('max', 'min')]
  if (first !== undefined && wrappers.has(called.getText())) return [first.getText()]
  return ts.isPropertyAccessExpression(called) && endings.has(called.name.text) ? [called.expression.getText()] : []
}

function isOptional (node: ts.Node): boolean {
  return (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node)) && node.questionDotToken !== undefined
}

/** Something is not handed over. */
const omit: Mutator = (node) => ts.isObjectLiteralElementLike(node) && ts.isObjectLiteralExpression(node.parent) ? ['...{}'] : []

const mutators: readonly Mutator[] = [decide, compare, turn, change, forget, swap, empty, unwrap, omit]

/** Everything that may stand in place of a node. */
export function editsOf (node: ts.Node): Edit[] {
  return mutators.flatMap((mutator) => mutator(node)).map((edit) => typeof edit === 'string' ? { text: edit } : edit)
}

/** Whether a node and all in it is left alone. */
export function isSpared (node: ts.Node): boolean {
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isModuleDeclaration(node) ||
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
}

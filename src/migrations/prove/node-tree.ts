/**
 * PostgreSQL's own parse trees, as `pg_proc.prosqlbody` and `pg_rewrite.ev_action` hold them.
 * https://github.com/postgres/postgres/blob/master/src/backend/nodes/outfuncs.c
 */

/** A node, a list, or a word. */
export type TreeValue = TreeNode | readonly TreeValue[] | string

/** The fields of a node, without its name. Releases differ in names of nodes more than in names of fields. */
export interface TreeNode { readonly [field: string]: TreeValue }

const token = /\s*([{}()]|(?:\\[\s\S]|[^\s{}()\\])+)/y

/** Reads a tree. */
export function parseTree (text: string): TreeValue {
  let at = 0
  const next = (): string => {
    token.lastIndex = at
    const found = token.exec(text)![1]!
    at = token.lastIndex
    return found
  }
  const peek = (): string => {
    const before = at
    const found = next()
    at = before
    return found
  }
  const value = (): TreeValue => {
    const first = next()
    if (first === '(') return list()
    return first === '{' ? node() : first
  }
  const list = (): TreeValue[] => {
    const items: TreeValue[] = []
    while (peek() !== ')') items.push(value())
    next()
    return items
  }
  const node = (): TreeNode => {
    const fields: Record<string, TreeValue> = {}
    next()
    while (peek() !== '}') {
      const name = next()
      fields[name.slice(1)] = value()
      // The bytes of a constant.
      while (!/^[:}]/.test(peek())) next()
    }
    next()
    return fields
  }
  return value()
}

/** All nodes of a tree, from the outside inwards. */
export function * nodesOf (value: TreeValue): Generator<TreeNode> {
  if (typeof value === 'string') return
  if (Array.isArray(value)) {
    for (const item of value as readonly TreeValue[]) yield * nodesOf(item)
    return
  }
  yield value as TreeNode
  for (const field of Object.values(value)) yield * nodesOf(field)
}

/** The nodes of a list; none for a field without one. */
export function listOf (value: TreeValue | undefined): readonly TreeNode[] {
  return Array.isArray(value) ? value as readonly TreeNode[] : []
}

/** Whether a field holds a node. */
export function isNode (value: TreeValue | undefined): value is TreeNode {
  return typeof value === 'object' && !Array.isArray(value)
}

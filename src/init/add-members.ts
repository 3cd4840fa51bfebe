/** New members of objects in a JSON document, by the key of each object: `{ scripts: { test: 'tap' } }`. */
export type Members = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Where an object of the document ends. */
interface Place {
  /** The position behind the last value, or behind the opening brace if there is none. */
  end: number
  isEmpty: boolean
  /** The text between the opening brace and the first key. */
  space: string
}

/**
 * Adds members to objects at the top of a JSON document, and objects that it lacks. Every character that is there stays, so indentation and line breaks do, too.
 *
 * @param text a JSON document that is an object, and whose named members are objects
 */
export function addMembers (text: string, members: Members): string {
  const places = findPlaces(text)
  const root = places.get('')!
  const indent = /\n([ \t]+)/.exec(root.space)?.[1] ?? '  '
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const isOneLine = !root.isEmpty && !root.space.includes('\n')
  const separator = (depth: number): string => isOneLine ? ' ' : `${lineBreak}${indent.repeat(depth)}`
  const list = (entries: readonly string[], depth: number): string => entries.map((entry) => `${separator(depth)}${entry}`).join(',')

  const insertions: Array<{ at: number, added: string }> = []
  const insert = ({ end, isEmpty, space }: Place, entries: readonly string[], depth: number): void => {
    // An object on a line of its own stays there.
    const isInline = !isEmpty && !space.includes('\n')
    const added = isInline ? entries.map((entry) => ` ${entry}`).join(',') : list(entries, depth)
    insertions.push({ at: end, added: isEmpty ? `${added}${separator(depth - 1)}` : `,${added}` })
  }

  const missing: string[] = []
  for (const [key, values] of Object.entries(members)) {
    const entries = Object.entries(values).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    const place = places.get(key)
    if (entries.length === 0) continue
    if (place === undefined) missing.push(`${JSON.stringify(key)}: {${list(entries, 2)}${separator(1)}}`)
    else insert(place, entries, 2)
  }
  if (missing.length > 0) insert(root, missing, 1)
  return insertions.sort((a, b) => b.at - a.at).reduce((result, { at, added }) => result.slice(0, at) + added + result.slice(at), text)
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** The places of the document's object, under the empty key, and of the objects that are its members. */
function findPlaces (text: string): Map<string, Place> {
  const places = new Map<string, Place>()
  /** The open objects and lists; those below the second level have no place. */
  const open: Array<Place | undefined> = []
  let key = ''
  let previous = ''
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const behind = index + token.length
    if (token === '}' || token === ']') open.pop()
    const around = open.at(-1)
    if (around !== undefined && previous === '{' && token !== '}') around.space = text.slice(around.end, index)
    if (open.length === 1 && token.startsWith('"') && (previous === '{' || previous === ',')) key = JSON.parse(token) as string
    if (around !== undefined && token !== ',' && token !== ':') Object.assign(around, { end: behind, isEmpty: false })
    if (token === '{' || token === '[') {
      const place = { end: behind, isEmpty: true, space: '' }
      const isNamed = token === '{' && open.length < 2
      if (isNamed) places.set(open.length === 0 ? '' : key, place)
      open.push(isNamed ? place : undefined)
    }
    previous = token
  }
  return places
}

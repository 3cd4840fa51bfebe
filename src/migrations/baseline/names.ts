/** A JavaScript text in single quotes. */
export function quoted (text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`
}

/** A template of Drizzle with this SQL. */
export function sqlTemplate (text: string): string {
  return `sql\`${text.replace(/[\\`]/g, '\\$&').replaceAll('${', '\\${')}\``
}

/** Words that cannot name a constant. */
export const reservedWords = [
  'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum', 'export', 'extends', 'false', 'finally', 'for',
  'function', 'if', 'implements', 'import', 'in', 'instanceof', 'interface', 'let', 'new', 'null', 'package', 'private', 'protected', 'public', 'return', 'static', 'super',
  'switch', 'this', 'throw', 'true', 'try', 'typeof', 'var', 'void', 'while', 'with', 'yield', 'arguments', 'eval', 'undefined'
]

/** Gives each name of a database a name in JavaScript: `First Name` becomes `firstName`. */
export class Identifiers {
  readonly #taken: Set<string>

  constructor (reserved: readonly string[] = []) {
    this.#taken = new Set(reserved)
  }

  /** The identifier for a name; with a number if another name has it. */
  of (name: string): string {
    const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
    const camel = words.map((word, index) => {
      const plain = word === word.toUpperCase() ? word.toLowerCase() : word
      return index === 0 ? plain.charAt(0).toLowerCase() + plain.slice(1) : plain.charAt(0).toUpperCase() + plain.slice(1)
    }).join('')
    const wanted = /^\p{L}/u.test(camel) ? camel : `_${camel}`
    let found = wanted
    for (let count = 2; this.#taken.has(found); count++) found = `${wanted}${count}`
    this.#taken.add(found)
    return found
  }
}

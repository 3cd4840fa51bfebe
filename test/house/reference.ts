import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from './source-files.js'

/** The names that an entry point exports, read without the compiler: its values by loading it, its types from its text. */
export async function namesOf (file: string): Promise<string[]> {
  const values = Object.keys(await import(pathToFileURL(join(projectRoot, file)).href)).filter((name) => name !== 'default')
  return [...new Set([...values, ...typesOf(file)])].sort()
}

function typesOf (file: string): string[] {
  const text = readFileSync(join(projectRoot, file), 'utf8')
  const lists = Array.from(text.matchAll(/^export (type )?\{([^}]*)\}/gm), ([, isType, names = '']) => {
    const types = names.split(',').map((name) => name.trim()).filter((name) => name !== '' && (isType !== undefined || name.startsWith('type ')))
    return types.map((name) => name.replace(/^type /, '').replace(/^.* as /, ''))
  })
  const declared = Array.from(text.matchAll(/^export (?:type|interface) (\w+)/gm), ([, name]) => String(name))
  const others = Array.from(text.matchAll(/^export \* from '([^']+)'/gm), ([, from]) => typesOf(join(dirname(file), String(from).replace(/\.js$/, '.ts'))))
  return [...lists.flat(), ...declared, ...others.flat()]
}

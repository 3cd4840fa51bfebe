import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { literally } from '../../runtime/expressions.js'

const modules = /\.[cm]?[jt]s$/

/** Finds the modules that a path of drizzle.config.ts names: a file, a folder, or a pattern with `*`, `**`, `?` and `{a,b}`; sorted by name. */
export function findFiles (pattern: string): string[] {
  const path = pattern.split(sep).join('/')
  if (isFolder(path)) return filesBelow(path).filter((file) => modules.test(file) && !file.slice(path.length + 1).includes('/'))
  if (existsSync(path)) return [path]
  const base = path.replace(/\/[^/]*[*?{].*$/, '')
  if (base === path) return []
  const wanted = new RegExp(`^${path.split(/(\*\*\/|\*\*|\*|\?|\{[^}]*\})/).map(asExpression).join('')}$`)
  return filesBelow(base).filter((file) => wanted.test(file) && modules.test(file))
}

function isFolder (path: string): boolean { return existsSync(path) && statSync(path).isDirectory() }

function filesBelow (folder: string): string[] {
  if (!isFolder(folder)) return []
  return readdirSync(folder).filter((name) => name !== 'node_modules').sort().flatMap((name) => {
    const path = join(folder, name).split(sep).join('/')
    return isFolder(path) ? filesBelow(path) : [path]
  })
}

function asExpression (part: string): string {
  if (part === '**/') return '(?:.*/)?'
  if (part === '**') return '.*'
  if (part === '*') return '[^/]*'
  if (part === '?') return '[^/]'
  if (part.startsWith('{') && part.endsWith('}')) return `(?:${part.slice(1, -1).split(',').map(literally).join('|')})`
  return literally(part)
}

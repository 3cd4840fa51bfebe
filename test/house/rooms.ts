import type { Import } from './imports.js'
import type { SourceFile } from './source-files.js'

/** A room of the house: a folder, whose files share one place in the order of imports. */
export interface Room {
  /** From the root, without a slash at the end: `src/errors`. */
  readonly folder: string
  /** Its purpose in one sentence, with which its README.md begins. */
  readonly purpose: string
  /** Earlier folders from which it may not import, each with the rooms below it. */
  readonly forbidden: readonly string[]
}

const row = /^\| `(?<folder>[\w/-]+)` \| (?<purpose>[^|]+) \|(?<never>[^|]*)\|$/gm

/** The rooms of the list in CONTRIBUTING.md, in its order. */
export function readRooms (contributing: string): Room[] {
  return Array.from(contributing.matchAll(row), ({ groups: { folder, purpose, never } = {} }) => ({
    folder: String(folder),
    purpose: String(purpose).trim(),
    forbidden: never?.includes('any other room') ? [''] : Array.from(String(never).matchAll(/`([\w/-]+)`/g), ([, name]) => String(name))
  }))
}

/** The room of a file: in the library its own folder, elsewhere any folder above it. */
export function roomOf (path: string, rooms: readonly Room[]): Room | undefined {
  const folder = path.slice(0, path.lastIndexOf('/'))
  return rooms.find((room) => isLibrary(path) ? room.folder === folder : path.startsWith(`${room.folder}/`))
}

function isLibrary (path: string): boolean {
  return /^(src|plugins)\//.test(path)
}

const aboutFastify = /^(fastify($|[-/])|@fastify\/)/

/** The forbidden imports, one sentence each; empty if the house is in order. */
export function findWrongArrows (imports: readonly Import[], rooms: readonly Room[]): string[] {
  return imports.flatMap(({ from, to, isPackage }) => {
    const room = roomOf(from, rooms)
    if (room === undefined) return []
    if (isPackage) return from.startsWith('src/') && aboutFastify.test(to) ? [`${from} imports ${to}: only plugins/ knows Fastify`] : []
    const target = roomOf(to, rooms)
    if (target === undefined) return [`${from} imports ${to}: it is in no room of CONTRIBUTING.md`]
    if (target === room) return []
    if (rooms.indexOf(target) > rooms.indexOf(room)) return [`${from} imports ${to}: ${target.folder} comes after ${room.folder}`]
    const isForbidden = room.forbidden.some((folder) => `${target.folder}/`.startsWith(folder === '' ? '' : `${folder}/`))
    return isForbidden ? [`${from} imports ${to}: ${room.folder} takes nothing from there`] : []
  })
}

/** The library's files that are in no room, and the rooms without a README.md that states their purpose. */
export function findHomeless (files: readonly SourceFile[], rooms: readonly Room[]): string[] {
  const homeless = files.filter(({ path }) => path.endsWith('.ts') && isLibrary(path) && roomOf(path, rooms) === undefined)
  const unnamed = rooms.filter(({ folder, purpose }) => {
    const page = files.find(({ path }) => path === `${folder}/README.md`)
    return page === undefined || !page.text.replaceAll('\n', ' ').includes(purpose)
  })
  return [
    ...homeless.map(({ path }) => `${path} is in no room of CONTRIBUTING.md`),
    ...unnamed.map(({ folder, purpose }) => `${folder}/README.md does not say: ${purpose}`)
  ]
}

const mostFiles = 16
const mostLines = 300
const mostLinesOfHalf = 90

/** Folders with too many files, files with too many lines, and whether too many files are long. */
export function findCrowds (files: readonly SourceFile[]): string[] {
  const sources = files.filter(({ path }) => path.endsWith('.ts') && isLibrary(path))
  const inFolder = new Map<string, number>()
  for (const { path } of sources) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    inFolder.set(folder, (inFolder.get(folder) ?? 0) + 1)
  }
  const lengths = sources.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length })).sort((a, b) => a.lines - b.lines)
  const median = lengths[Math.floor(lengths.length / 2)]?.lines ?? 0
  return [
    ...[...inFolder].filter(([, count]) => count > mostFiles).map(([folder, count]) => `${folder} has ${count} files`),
    ...lengths.filter(({ lines }) => lines > mostLines).map(({ path, lines }) => `${path} has ${lines} lines`),
    ...median > mostLinesOfHalf ? [`half of the files have more than ${median - 1} lines`] : []
  ]
}

/**
 * Copies of the project with bugs in them, to see that somebody notices.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { projectRoot } from '../house/source-files.js'

/** One bug: a place in a file of the project, and what stands there instead. */
export interface Mutant {
  /** The promise that it breaks. */
  readonly title: string
  /** From the root of the project. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
}

/** A copy of the project. */
export interface Planted {
  /** Lies inside the project, so that node_modules is found upwards. */
  readonly folder: string
  /** Deletes the copy; otherwise it goes with this process, also with Ctrl-C. */
  remove (): Promise<void>
}

const copied = [
  'src', 'plugins', 'test', 'examples', 'docs', 'drizzle',
  'package.json', 'tsconfig.json', 'tsconfig.build.json', '.taprc', 'drizzle.config.ts', 'README.md'
]
const notCopied = new Set(['.data', 'dist', 'node_modules'])
const folders = new Set<string>()

/**
 * Copies the project and makes the bugs in the copy.
 *
 * @throws Error that names file and text, where a text does not stand there exactly once
 * @example
 * const { folder, remove } = await plant([{ title: 'believes any answer', file: 'src/x.ts', find: 'if (ok)', replace: 'if (true)' }])
 * spawn(process.execPath, ['--import', 'tsx', join(folder, 'test/load/crash/subject.ts')])
 */
export async function plant (mutants: readonly Mutant[]): Promise<Planted> {
  const folder = newFolder()
  const remove = async (): Promise<void> => { removeNow(folder) }
  try {
    for (const name of copied) {
      const from = join(projectRoot, name)
      if (existsSync(from)) cpSync(from, join(folder, name), { recursive: true, filter: (path) => !notCopied.has(basename(path)) })
    }
    for (const mutant of mutants) apply(folder, mutant)
  } catch (error) {
    await remove()
    throw error
  }
  return { folder, remove }
}

function apply (folder: string, { title, file, find, replace }: Mutant): void {
  const path = join(folder, file)
  const parts = readFileSync(path, 'utf8').split(find)
  if (parts.length !== 2) {
    throw new Error(`The mutant "${title}" does not fit any more: its text stands ${parts.length - 1} times in ${file}, not once:\n${find}`)
  }
  writeFileSync(path, parts.join(replace))
}

function newFolder (): string {
  const parent = join(projectRoot, '.mutants')
  mkdirSync(parent, { recursive: true })
  if (folders.size === 0) listen('on')
  const folder = mkdtempSync(join(parent, `${process.pid}-`))
  folders.add(folder)
  return folder
}

function removeNow (folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  if (folders.delete(folder) && folders.size === 0) listen('off')
}

function removeAll (): void {
  for (const folder of folders) removeNow(folder)
}

/** Whoever listens to the signal as well decides when this process ends; nobody else does, so it ends now. */
function interrupted (signal: NodeJS.Signals): void {
  removeAll()
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}

function listen (how: 'on' | 'off'): void {
  process[how]('exit', removeAll)
  process[how]('SIGINT', interrupted)
  process[how]('SIGTERM', interrupted)
}

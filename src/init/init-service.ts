import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { adviceFor, nextCommands } from './advice.js'
import { askService, type Answers } from './ask-service.js'
import { completeManifest, parseManifest, type Manifest } from './manifest.js'
import { nameFor } from './service-name.js'
import { planService } from './service-plan.js'
import { readTemplates, withName } from './templates.js'
import type { Terminal } from '../runtime/questions.js'

/** How {@link initService} works. */
export interface InitOptions {
  readonly folder: string
  /** The name of the service. */
  readonly name?: string | undefined
  /** The URL of the database, for the file `.env`. */
  readonly url?: string | undefined
  /** Only tells what would be written. */
  readonly dryRun: boolean
  /** Where to ask; undefined asks nothing. */
  readonly terminal: Terminal | undefined
  /** Ends a question. */
  readonly signal: AbortSignal
}

/** What {@link initService} has done. */
export interface Initialized {
  /** The new files. */
  readonly written: readonly string[]
  /** What was added to the package.json that was there, as `scripts.start`. */
  readonly added: readonly string[]
  /** Files that a new service would have got, but that were there. */
  readonly kept: readonly string[]
  /** What is left to do by hand. */
  readonly advice: readonly string[]
  /** The next commands. */
  readonly next: readonly string[]
}

/**
 * Makes a service in a folder, or adds to a program what it lacks for this package. A file that is there is never changed, but for package.json, which gets the
 * scripts and packages that it does not name yet.
 *
 * @throws Error if package.json cannot be read, or a question is not answered; then nothing is written
 */
export async function initService ({ folder, dryRun, ...options }: InitOptions): Promise<Initialized> {
  const manifestText = readIfThere(join(folder, 'package.json'))
  const manifest = manifestText === undefined ? {} : parseManifest(manifestText)
  const isModule = manifestText === undefined || manifest.type === 'module'
  const extension = isModule ? 'ts' : 'mts'
  const plan = planService(folder, readTemplates({ isModule, now: new Date() }), manifest)

  const { name, url } = await answersOf(folder, manifest, { ...options, asksDatabase: plan.pieces.includes('server') })
  const { text, added } = completeManifest(manifestText, { pieces: plan.pieces, extension, name })
  const settings = url !== undefined && !existsSync(join(folder, '.env')) ? [{ path: '.env', text: `DATABASE_URL=${quoted(url)}\n` }] : []
  const files = [...manifestText === undefined ? [{ path: 'package.json', text }] : [], ...plan.writes.map((file) => withName(file, name)), ...settings]
  const outcome = { folder, manifest, plan, extension }
  const advice = adviceFor(outcome)
  if (url !== undefined && settings.length === 0) advice.push('.env is there already: write DATABASE_URL into it.')

  if (!dryRun) {
    for (const file of files) create(join(folder, file.path), file.text)
    if (manifestText !== undefined && added.length > 0) writeFileSync(join(folder, 'package.json'), text)
  }
  return {
    written: files.map(({ path }) => path), added: manifestText === undefined ? [] : added, kept: plan.kept, advice, next: nextCommands(outcome)
  }
}

interface AskOptions extends Pick<InitOptions, 'name' | 'url' | 'terminal' | 'signal'> {
  readonly asksDatabase: boolean
}

/** The name of the service and its database: as given, as asked, or by default. */
async function answersOf (folder: string, manifest: Manifest, { name, url, terminal, signal, asksDatabase }: AskOptions): Promise<{ name: string, url?: string | undefined }> {
  const known = name ?? manifest.name
  const byDefault = nameFor(basename(resolve(folder)))
  if (terminal === undefined) return { name: known ?? byDefault, url }
  const asked: Answers = await askService({
    name: known === undefined ? byDefault : undefined, database: asksDatabase && url === undefined && !existsSync(join(folder, '.env'))
  }, terminal, signal)
  return { name: known ?? byDefault, url, ...asked }
}

function readIfThere (path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Writes a file that must not exist. Only its owner may read it if it may hold a password. */
function create (path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { flag: 'wx', mode: path.endsWith('.env') ? 0o600 : 0o666 })
}

/** A URL in a .env file, as Node and the other readers of such files understand it. */
function quoted (value: string): string {
  return /^[^\s#'"`\\]+$/.test(value) ? value : `'${value.replaceAll("'", '%27')}'`
}

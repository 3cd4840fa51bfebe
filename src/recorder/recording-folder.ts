import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ignore } from '../runtime/promises.js'

/** What a page is about, for the name of its file. */
export interface Recording {
  readonly database: string
  readonly kind: string
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Files whose names this package has given: nothing else in the folder is deleted. */
const ownFile = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[\w-]+\.html(?:\.part)?$/

/** How long a file may be unfinished, in milliseconds; an older one belongs to a process that was killed. */
const unfinishedMillis = 600_000

/** A folder with the latest files. Several processes may share it: each keeps the same number of files. */
export class RecordingFolder {
  readonly path: string
  readonly #files: number
  #count = 0

  constructor (path: string, files: number) {
    this.path = path
    this.#files = files
  }

  /** Creates the folder, which only this user may read. @throws if that is not possible */
  async create (): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
  }

  /** Writes a file that appears when it is complete, and deletes the oldest; resolves with its path. */
  async write (html: string, { database, kind, at }: Recording): Promise<string> {
    const name = `${timeIn(at)}-${kind.replaceAll(' ', '-')}-${database}-${process.pid}-${++this.#count}.html`
    const path = join(this.path, name)
    const unfinished = `${path}.part`
    await this.create()
    try {
      // An existing file is refused, so that a link that somebody has put there is not followed.
      await writeFile(unfinished, html, { mode: 0o600, flag: 'wx' })
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
    await this.#deleteOldest()
    return path
  }

  async #deleteOldest (): Promise<void> {
    const names = (await readdir(this.path)).filter((name) => ownFile.test(name)).sort()
    const complete = names.filter((name) => name.endsWith('.html'))
    const unfinished = names.filter((name) => name.endsWith('.part'))
    await Promise.all([
      ...complete.slice(0, -this.#files).map((name) => this.#delete(name)),
      ...unfinished.map(async (name) => { if (await this.#isAbandoned(name)) await this.#delete(name) })
    ])
  }

  /** The name says when the incident was, which may be long before its file is written. */
  async #isAbandoned (name: string): Promise<boolean> {
    const file = await stat(join(this.path, name)).catch(ignore)
    return file !== undefined && file.mtimeMs < Date.now() - unfinishedMillis
  }

  /** Another process may delete the same file. */
  async #delete (name: string): Promise<void> {
    await rm(join(this.path, name), { force: true })
  }
}

/** A time as the beginning of a name that every file system takes. */
function timeIn (at: number): string {
  return new Date(at).toISOString().replaceAll(':', '-')
}

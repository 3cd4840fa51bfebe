/**
 * Watches a database all the time, and writes a page over the last seconds at an incident. What holds connections is read in the moment of the incident, then
 * PostgreSQL is asked over a connection beside the pool, and the file is written without waiting for anybody: no request waits for it.
 */
import { watchActivity } from '../activity/watch-activity.js'
import { IncidentFinder } from './incident-finder.js'
import { IncidentLimit } from './incident-limit.js'
import { RecordingFolder } from './recording-folder.js'
import type { Activity } from '../activity/activity.js'
import type { Database } from '../database/database.js'
import type { Logger } from '../runtime/logger.js'
import type { FoundIncident } from './incident-finder.js'

/** The checked settings of a flight recorder. */
export interface RecorderSettings {
  /** How many seconds before an incident a file shows. */
  readonly seconds: number
  readonly folder: string
  /** How many files are kept. */
  readonly files: number
  /** 0 for none. */
  readonly slowRequestMillis: number
}

/** The parts of a flight recorder. */
export interface RecorderParts {
  readonly logger: Logger
  readonly settings: RecorderSettings
  /** Makes a page. */
  readonly render: (activity: Activity) => string
}

/** Records a database until it is closed. */
export class FlightRecorder {
  readonly #parts: RecorderParts
  readonly #view: ReturnType<typeof watchActivity>
  readonly #finder: IncidentFinder
  readonly #limit: IncidentLimit
  readonly #folder: RecordingFolder
  /** The files that are being written. */
  readonly #writing = new Set<Promise<void>>()
  #hasFailed = false

  constructor (database: Database, parts: RecorderParts) {
    const { seconds, folder, files, slowRequestMillis } = parts.settings
    this.#parts = parts
    this.#view = watchActivity(database, { blockings: false })
    this.#limit = new IncidentLimit(seconds * 1000)
    this.#folder = new RecordingFolder(folder, files)
    this.#finder = new IncidentFinder({ place: database.host.place, watch: this.#view.watch, slowRequestMillis, found: (found) => this.#record(found) })
  }

  /** Creates the folder. A failure is logged: a server serves without its recorder, too. */
  async start (): Promise<void> {
    await this.#folder.create().catch((error) => this.#fail(error))
  }

  /** Ends the recorder; resolves when the files under way are written. */
  async close (): Promise<void> {
    this.#finder.end()
    await Promise.all(this.#writing)
    await this.#view.end()
  }

  #record (found: FoundIncident): void {
    if (!this.#limit.admits(found.incident, performance.now())) return
    const writing = this.#write(found, this.#view.current({ stacks: true })).catch((error) => this.#fail(error)).finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  async #write ({ incident, blocker }: FoundIncident, now: Activity): Promise<void> {
    const { logger, settings, render } = this.#parts
    const { watch } = this.#view
    const blockings = await watch.findBlockings()
    const waitedFor = blocker({ holders: now.holders, blockings })
    const transactions = watch.log.recorded(settings.seconds)
    const { kind, route, code, sqlState, processId } = incident
    const html = render({ ...now, blockings, incident: { ...incident, blocker: waitedFor }, transactions })
    const file = await this.#folder.write(html, { database: now.database, kind, at: incident.at })
    this.#hasFailed = false
    logger.warn({ incident: kind, route, code, sqlState, processId, blocker: waitedFor, file }, 'the flight recorder has written what led to an incident: open the file in a browser')
  }

  /** Tells of a folder that cannot be written, once until it can. */
  #fail (err: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#parts.logger.error({ err, folder: this.#folder.path }, 'the flight recorder cannot write its file: is there room in its folder, and may this user write there?')
  }
}

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fp from 'fastify-plugin'
import { checkSettings } from '../src/errors/check-call.js'
import { text, wholeNumber } from '../src/runtime/option-checks.js'
import { longestMillis } from '../src/runtime/timers.js'
import { databaseIn, loggerFor } from './server-databases.js'
import type { FastifyInstance } from 'fastify'
import type { DatabaseOptions } from '../src/settings/settings.js'
import type { OptionChecks } from '../src/runtime/option-checks.js'

/** What the flight recorder keeps, and where. */
export interface RecorderOptions {
  /**
   * How many seconds before an incident a file shows: 1 to 600. So long, too, the next incident of the same kind on the same route writes no file.
   * @defaultValue `30`
   */
  readonly seconds?: number | undefined
  /**
   * The folder of the files; it is created, for this user only. Processes may share one.
   * @defaultValue `flight-recorder` in the system's folder for temporary files
   */
  readonly folder?: string | undefined
  /**
   * How many files the folder keeps: 1 to 10000. The oldest are deleted.
   * @defaultValue `50`
   */
  readonly files?: number | undefined
  /**
   * A request that still works with the database so many milliseconds after it has used it first is an incident: 1 to 2147483647, or 0 for never.
   * @defaultValue `5000`
   */
  readonly slowRequestMillis?: number | undefined
}

/** The part of the common options that this plugin reads. */
export interface RecorderPluginOptions extends Pick<DatabaseOptions, 'name' | 'logger'> {
  /**
   * Keeps the latest transactions in memory, and writes a page over them when a request waits in vain for a connection, at a deadlock, a leak, a COMMIT whose
   * response is lost, and when a request is slow. The log names the file.
   * @defaultValue `false`
   */
  readonly recorder?: boolean | RecorderOptions | undefined
}

/**
 * Records what a database does, and writes a page at an incident.
 *
 * @throws {SettingsError} for an unknown or invalid option, with its name
 */
async function plugin (fastify: FastifyInstance, { name, recorder = false, logger = loggerFor(fastify, name) }: RecorderPluginOptions): Promise<void> {
  if (recorder === false) return
  const options = recorder === true ? {} : recorder
  checkSettings({ path: 'recorder', kind: 'true, false, or an object of seconds, folder, files, slowRequestMillis' }, options, checks)
  const { seconds = 30, folder = join(tmpdir(), 'flight-recorder'), files = 50, slowRequestMillis = 5000 } = options
  const [{ FlightRecorder }, { recordingPage }] = await Promise.all([import('../src/recorder/flight-recorder.js'), import('../src/activity/page/activity-page.js')])
  const flight = new FlightRecorder(databaseIn(fastify, name), { logger, settings: { seconds, folder, files, slowRequestMillis }, render: recordingPage })
  // Close hooks run last in, first out: before the database closes.
  fastify.addHook('onClose', () => flight.close())
  await flight.start()
}

const checks: OptionChecks<RecorderOptions> = {
  seconds: wholeNumber(1, 600),
  folder: text,
  files: wholeNumber(1, 10_000),
  slowRequestMillis: wholeNumber(0, longestMillis)
}

/** The plugin that records what the database does; register the database plugin before it. */
export const recorderPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/recorder', dependencies: ['data-access/database'] })

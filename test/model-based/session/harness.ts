/** Runs programs and compares their results with the prediction of the interpreter. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { Client } from 'pg'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { until } from '../../helpers/until.js'
import { backendsOf, clientsOf, watchPool } from '../../helpers/watch.js'
import { Execution, keySpace, modelTables } from './execution.js'
import { Interpreter } from './interpreter.js'
import { anything, baseRows, show } from './prediction.js'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'
import type { Prediction, Sight } from './prediction.js'
import type { Interruption, Program } from './program.js'

/** Runs programs on a database. */
export interface Harness {
  /** Resolves when everything was as predicted. */
  play (program: Program): Promise<void>
}

interface Room {
  readonly admin: Client
  readonly pools: Record<'small' | 'large', Database>
}

/** Opens a new database with two pools; everything is checked and dropped at the end of the test. */
export async function openHarness (t: Test): Promise<Harness> {
  const { connectionString } = await createTestDatabase(t, { sql: modelTables })
  const admin = new Client({ connectionString })
  await admin.connect()
  t.teardown(() => admin.end())
  const quiet = { debug () {}, info () {}, warn () {}, error () {} }
  const open = async (max: number): Promise<Database> => {
    const database = await openDatabase({ connectionString, logger: quiet, pool: { size: max, maxOverflow: 0, timeoutSeconds: 20 } })
    t.teardown(() => database.close())
    watchPool(t, database.pool)
    return database
  }
  const room: Room = { admin, pools: { small: await open(2), large: await open(10) } }
  const unhandled: unknown[] = []
  const note = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', note)
  t.teardown(async () => { process.off('unhandledRejection', note) })
  return {
    async play (program) {
      unhandled.length = 0
      await playOne(program, room)
      assert.deepEqual(unhandled, [], 'no promise is rejected unheard')
    }
  }
}

async function playOne (program: Program, { admin, pools }: Room): Promise<void> {
  const database = pools[program.isPoolSmall ? 'small' : 'large']
  const kill = async (pid: number): Promise<void> => {
    const client = clientsOf(database.pool).find((client) => client.processID === pid)
    let hasEnded = client === undefined
    client?.once('end', () => { hasEnded = true })
    await admin.query('select pg_terminate_backend($1)', [pid])
    // A connection that was returned and destroyed meanwhile emits no event.
    await until(() => hasEnded || backendsOf(database.pool).every((other) => other !== pid))
  }
  const executions = program.sessions.map((session, position) => new Execution(session, { database, offset: position * keySpace, kill }))
  await admin.query('truncate cells')
  for (const [position] of executions.entries()) {
    for (const [key, value] of baseRows) await admin.query('insert into cells (id, value) values ($1, $2)', [position * keySpace + key, value])
  }
  const interruption = program.interruption && strike(program.interruption, {
    abort: () => executions[0]?.abort(),
    // A connection that is still being opened has no process id yet.
    kill: async () => { for (const pid of backendsOf(database.pool).filter((pid) => pid !== null)) await kill(pid) }
  })
  await Promise.all(executions.map((execution) => execution.run()))
  await interruption
  for (const [position, execution] of executions.entries()) {
    const prediction = new Interpreter(program.sessions[position] ?? assert.fail()).predict()
    if (program.interruption === undefined) await compare(execution, prediction, { admin, name: `session ${position}` })
    else compareAfterInterruption(await execution.look(admin), prediction)
  }
  await nothingIsLeft(database, admin)
}

async function strike ({ what, afterTurns }: Interruption, means: Record<Interruption['what'], () => unknown>): Promise<void> {
  for (let turns = 0; turns < afterTurns; turns++) await turn()
  await means[what]()
}

async function compare (execution: Execution, prediction: Prediction, { admin, name }: { admin: Client, name: string }): Promise<void> {
  const { outcomes, answers, afterRollback, beforeCommit, afterCommit } = prediction
  await execution.called([...beforeCommit, ...afterCommit, ...afterRollback.flat()].length)
  const sight = await execution.look(admin)
  const seen = new Map(Array.from(sight.answers, ([path, answer]) => [path, answers.get(path) === anything ? anything : answer]))
  assert.deepEqual(sorted(seen), sorted(answers), `${name}: the answers`)
  assert.equal(show(sight.rows), show(prediction.rows), `${name}: the rows at the end`)
  assert.ok(outcomes.includes(sight.outcome), `${name}: the outcome is ${sight.outcome}, and should be ${outcomes.join(' or ')}`)
  assert.deepEqual(sight.beforeCommit, beforeCommit, `${name}: callbacks before the commit`)
  assert.deepEqual(sight.afterCommit, afterCommit, `${name}: callbacks after the commit`)
  assert.deepEqual([...execution.afterRollback].sort(), afterRollback.flat().sort(), `${name}: callbacks after rollbacks`)
  for (const calls of afterRollback) assert.deepEqual(execution.afterRollback.filter((call) => calls.includes(call)), calls, `${name}: their order`)
}

/** Checks that all or nothing was stored, as the session's outcome says. */
function compareAfterInterruption ({ outcome, rows, answers, afterCommit }: Sight, prediction: Prediction): void {
  const all = show(prediction.rows)
  const nothing = show(baseRows)
  // A statement without a connection may have failed with its scope and been swallowed, and the rest committed.
  if (outcome === 'committed' && [...answers.values()].includes('ConnectionError')) return
  if (outcome === 'committed') assert.equal(show(rows), all, 'everything is there after the commit')
  else if (outcome === 'unknown') assert.ok([all, nothing].includes(show(rows)), `all or nothing is there: ${show(rows)}`)
  else assert.equal(show(rows), nothing, `nothing is there: ${outcome}`)
  if (outcome !== 'committed' && outcome !== 'none') assert.deepEqual(afterCommit, [], 'no callback says that it was committed')
}

function sorted (answers: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...answers].sort(([one], [other]) => one < other ? -1 : 1))
}

/** Checks that every connection was returned, and that PostgreSQL has ended every transaction. A backend first has to notice that its client is gone. */
async function nothingIsLeft (database: Database, admin: Client): Promise<void> {
  const deadline = performance.now() + 5000
  for (;;) {
    const { inUse, waiting } = database.poolInfo
    const { rowCount } =
      await admin.query("select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (state like 'idle in transaction%' or state = 'active')")
    if (inUse === 0 && waiting === 0 && rowCount === 0) return
    assert.ok(performance.now() < deadline, `${inUse} connections are in use, ${waiting} are waited for, ${rowCount} backends are at work`)
  }
}

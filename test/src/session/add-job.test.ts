import t from 'tap'
import { SerializationFailureError, addJob, jobExecutor } from '../../../src/index.js'
import { openQueues } from '../../helpers/jobs.js'
import { users } from '../../helpers/schema.js'
import type { JobOptions } from '../../../src/index.js'

const { database, boss } = await openQueues(t)
const add = (name: string, payload?: unknown, options?: JobOptions): Promise<string> =>
  database.session((session) => addJob(session, name, payload, options))

const rowOf = async (id: string): Promise<unknown> => (await database.query(`
  select key, payload, jobs.priority, max_attempts, flags, run_at, queue_name, identifier as task_identifier from graphile_worker._private_jobs as jobs
  join graphile_worker._private_tasks as tasks on tasks.id = task_id left join graphile_worker._private_job_queues as queues on queues.id = job_queue_id where jobs.id = $1
`, [id])).rows[0]

t.test('addJob() passes each option to add_job, and leaves the rest to its defaults', async (t) => {
  const plain = await add('plain')
  t.match(await rowOf(plain), { key: null, payload: {}, priority: 0, max_attempts: 25, flags: null, queue_name: null, task_identifier: 'plain' })

  const runAt = new Date('2040-01-01T00:00:00.000Z')
  const full = await add("it's \"full\"", ['a', { b: null }], {
    queueName: 'letters', runAt, maxAttempts: 3, jobKey: 'k', jobKeyMode: 'replace', priority: -5, flags: ['big', 'a"b']
  })
  t.match(await rowOf(full), {
    key: 'k',
    payload: ['a', { b: null }],
    priority: -5,
    max_attempts: 3,
    flags: { big: true, 'a"b': true },
    run_at: runAt,
    queue_name: 'letters',
    task_identifier: "it's \"full\""
  })
})

t.test('a job with a key replaces the waiting one, keeps its time, or leaves it', async (t) => {
  const early = new Date('2041-01-01T00:00:00.000Z')
  const late = new Date('2042-01-01T00:00:00.000Z')
  const id = await add('keyed', { n: 1 }, { jobKey: 'one', runAt: early })
  t.equal(await add('keyed', { n: 2 }, { jobKey: 'one', runAt: late, jobKeyMode: 'preserve_run_at' }), id)
  t.match(await rowOf(id), { payload: { n: 2 }, run_at: early })
  t.equal(await add('keyed', { n: 3 }, { jobKey: 'one', runAt: late }), id)
  t.match(await rowOf(id), { payload: { n: 3 }, run_at: late })
  t.equal(await add('keyed', { n: 4 }, { jobKey: 'one', jobKeyMode: 'unsafe_dedupe' }), id)
  t.match(await rowOf(id), { payload: { n: 3 } })
})

t.test('the schema is a name, never SQL; without an add_job there, the error says how to get one, and the transaction is undone', async (t) => {
  await t.rejects(database.session(async (session) => {
    await session.repo(users).create({ email: 'lost' })
    await addJob(session, 'plain', {}, { schema: 'graphile_worker".add_job(\'x\') --' })
  }), { code: 'DB_USAGE', message: /graphile-worker --schema-only/, context: { sqlState: '3F000' } })
  await t.rejects(add('plain', {}, { schema: 'public' }), { code: 'DB_USAGE', context: { sqlState: '42883' } })
  t.equal(await database.repo(users).count(), 0)
})

t.test('a role without rights on the tables of graphile-worker adds jobs by a function that runs as their owner', async (t) => {
  await database.query(`
    create schema app;
    create function app.add_job (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts int, job_key text, priority int, flags text[], job_key_mode text)
      returns table (id bigint) language sql security definer set search_path = pg_catalog
      as $$ select id from graphile_worker.add_job(identifier, payload, queue_name, run_at, max_attempts, job_key, priority, flags, job_key_mode) $$
  `)
  const role = `clerk_${process.pid}`
  await database.query(`create role ${role}`)
  t.teardown(() => database.query(`drop owned by ${role}; drop role ${role}`))
  await database.query(`grant usage on schema app to ${role}`)
  const asClerk = (schema: string): Promise<string> => database.session(async (session) => {
    await session.query("select set_config('role', $1, true)", [role])
    return await addJob(session, 'plain', {}, { schema })
  })
  await t.rejects(asClerk('graphile_worker'), { code: 'DB_ERROR', context: { sqlState: '42501' } })
  t.match(await rowOf(await asClerk('app')), { task_identifier: 'plain' })
})

t.test('a function that adds no job is a conflict, which retries repeat', async (t) => {
  await database.query(`
    create schema busy;
    create sequence busy.calls;
    create function busy.add_job (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts int, job_key text, priority int, flags text[], job_key_mode text)
      returns graphile_worker._private_jobs language plpgsql
      as $$ begin if nextval('busy.calls') > 2 then return graphile_worker.add_job(identifier, payload); end if; return null; end $$
  `)
  await t.rejects(add('plain', {}, { schema: 'busy' }), SerializationFailureError)
  const id = await database.session((session) => addJob(session, 'plain', {}, { schema: 'busy' }), { retries: 2 })
  t.match(await rowOf(id), { task_identifier: 'plain' })
})

t.test('pg-boss publishes and inserts in the transaction, and a failure that publish() swallows prevents the commit', async (t) => {
  await boss.createQueue('mails')
  await boss.subscribe('ordered', 'mails')
  await boss.subscribe('ordered', 'greet')
  const jobs = async (): Promise<unknown> => (await database.query("select data ->> 'n' as n, name from pgboss.job order by 1, 2")).rows
  await database.session(async (session) => {
    const db = jobExecutor(session)
    await boss.publish('ordered', { n: 1 }, { db })
    await boss.insert([{ name: 'mails', data: { n: 2 } }, { name: 'mails', data: { n: 3 } }], { db })
    t.same(await jobs(), [])
  })
  const all = [{ n: '1', name: 'greet' }, { n: '1', name: 'mails' }, { n: '2', name: 'mails' }, { n: '3', name: 'mails' }]
  t.same(await jobs(), all)
  await t.rejects(
    database.session((session) => boss.publish('ordered', { n: 4 }, { db: jobExecutor(session), id: 'no uuid' })),
    { code: 'DB_TRANSACTION_ABORTED' }
  )
  t.same(await jobs(), all)
})

t.test('pg-boss completes a job in the transaction of its work', async (t) => {
  const id = await database.session((session) => boss.send('mails', { n: 5 }, { db: jobExecutor(session), priority: 9 })) ?? ''
  const states = async (): Promise<unknown> => (await boss.getJobById('mails', id))?.state
  t.match(await boss.fetch('mails'), [{ id }])
  await database.session(async (session) => {
    await boss.complete('mails', id, {}, { db: jobExecutor(session) })
    session.rollbackOnly()
  })
  t.equal(await states(), 'active')
  await database.session((session) => boss.complete('mails', id, {}, { db: jobExecutor(session) }))
  t.equal(await states(), 'completed')
})

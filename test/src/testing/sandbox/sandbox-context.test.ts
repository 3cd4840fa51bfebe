import { sql } from 'drizzle-orm'
import t from 'tap'
import { createTestDatabase, sandbox } from '../../../../src/testing/index.js'
import { open } from '../../../helpers/database.js'
import { users } from '../../../helpers/schema.js'
import type { DatabaseWork, Session } from '../../../../src/index.js'

const seenBy = sql`select coalesce(current_setting('app.tenant', true), '') as tenant, current_user = session_user as "isLogin", current_setting('search_path') as path`

async function seen (runner: Pick<DatabaseWork | Session, 'execute'>): Promise<unknown> {
  const { rows: [row] } = await runner.execute(seenBy)
  return row
}

const none = { tenant: '', isLogin: true, path: '"$user", public' }
const inContext = { tenant: 'a', isLogin: false, path: '"public"' }

t.test('in a sandbox a context holds for its own transaction or statement only', async (t) => {
  const database = await open(t)
  await database.execute(sql.raw(`do $$ begin create role sandbox_user; exception when duplicate_object or unique_violation then null; end $$;
    grant all on all tables in schema public to sandbox_user`))
  const box = await sandbox(database)
  t.teardown(() => box.rollback())
  const tenant = database.withContext({ settings: { 'app.tenant': 'a' }, role: 'sandbox_user', searchPath: ['public'] })

  t.match(await seen(tenant), inContext)
  t.match(await seen(database), none, 'after a statement that commits by itself')
  await tenant.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    t.match(await seen(session), inContext)
  })
  t.match(await seen(database), none, 'after a commit')
  await t.rejects(tenant.session(async (session) => {
    await session.repo(users).create({ email: 'bob' })
    await session.execute(sql`select 1 / 0`)
  }), { cause: { code: '22012' } })
  t.match(await seen(database), none, 'after a rollback')
  await t.rejects(tenant.execute(sql`select 1 / 0`), { cause: { code: '22012' } })
  t.match(await seen(database), none, 'after a statement that failed')
  t.match(await tenant.execute(sql.raw("select 1; select current_setting('app.tenant') as tenant")), { rows: [{ tenant: 'a' }] })
  await tenant.transaction(async (session) => {
    t.same((await session.repo(users).filter({})).map(({ email }) => email), ['ada'])
    await t.rejects(session.repo(users).create({ email: 'eve' }), { code: 'DB_READ_ONLY' })
  }, { accessMode: 'read only' }).catch(() => {})
  t.match(await seen(database), none)
})

t.test('a role of a context may not be missed in a sandbox, either', async (t) => {
  const { database } = await createTestDatabase(t)
  const box = await sandbox(database)
  t.teardown(() => box.rollback())
  await t.rejects(seen(database.withContext({ role: 'nobody_at_all' })), { name: 'UsageError', message: /refused the context/ })
  t.match(await seen(database), none)
})

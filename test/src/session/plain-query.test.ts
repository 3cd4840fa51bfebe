import t from 'tap'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import { TransactionClosedError } from '../../../src/index.js'

t.test('query() runs SQL with values in the transaction of its scope, and gives what a pg client would', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    const inserted = await session.query<{ id: number }>('insert into users (email) values ($1), ($2) returning id', ['ada', "o'bob"])
    const { rows, rowCount, command, fields } = inserted
    t.same({ rows, rowCount, command }, { rows: [{ id: 1 }, { id: 2 }], rowCount: 2, command: 'INSERT' })
    t.match(fields, [{ name: 'id', dataTypeID: 23 }])
    await session.transaction(async (scope) => {
      await session.query('delete from users where id = $1', [1])
      t.equal(await scope.repo(users).count(), 1)
      scope.rollbackOnly()
    })
    t.equal(await database.repo(users).count(), 0, 'nothing is committed yet')
  })
  t.same((await database.repo(users).getAll()).map(({ email }) => email), ['ada', "o'bob"])
})

t.test('a text without values may hold several statements', async (t) => {
  const database = await open(t)
  const { rows, results } = await database.query<{ n: number }>("select 1 as n; insert into users (email) values ('ada'); select 2 as n")
  t.same(rows, [{ n: 2 }])
  t.same(results?.map(({ command }) => command), ['SELECT', 'INSERT', 'SELECT'])
})

t.test('on a database it commits by itself; on a session that has ended it is refused', async (t) => {
  const database = await open(t)
  await database.query('insert into users (email) values ($1)', ['ada'])
  const session = database.createSession()
  await session.rollback()
  await t.rejects(session.query('insert into users (email) values ($1)', ['bob']), TransactionClosedError)
  t.equal(await database.repo(users).count(), 1)
})

t.test('another number of values than parameters is an error of the program, and the connection serves on', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const pid = async (): Promise<unknown> => (await database.query('select pg_backend_pid() as pid')).rows
  const before = await pid()
  await t.rejects(database.query('select 1', [1]), { code: 'DB_USAGE', message: 'The SQL has another number of parameters than values were given' })
  await t.rejects(database.query('select $1::int, $2::int', [1]), { code: 'DB_USAGE' })
  t.same(await pid(), before)
})

import { sql } from 'drizzle-orm'
import t from 'tap'
import { TransactionAbortedError, UniqueViolationError, ValidationError } from '../../../src/errors/errors.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { answer, groupAnswer, openScripted } from '../../helpers/scripted-postgres.js'
import { bindComplete, commandComplete, noData, parseComplete, readyForQuery } from '../../helpers/wire.js'
import { users } from '../../helpers/schema.js'
import type { Statement } from '../../../src/statement/statement.js'

const write = (text: string, ...values: unknown[]): Statement => ({ kind: 'write', text, values, context: { operation: 'test' } })
const parts = (text: string): string[] => [`Parse ${text}`, 'Bind', 'Describe P', 'Execute']
const done = [parseComplete, bindComplete, noData, commandComplete('UPDATE 1')]

t.test('statements of one turn are sent under one Sync, in call order', async (t) => {
  const { database, peer } = await openScripted(t)
  const finished = database.session((session) => Promise.all(['first', 'second', 'third'].map((text) => session.run(write(text)))))
  t.same(await peer.next(), ['Parse begin', 'Bind', 'Execute', ...parts('first'), ...parts('second'), ...parts('third'), 'Sync'])
  peer.send(parseComplete, bindComplete, commandComplete('BEGIN'), ...done, ...done, ...done, readyForQuery('T'))
  t.same(await peer.next(), ['Query commit'])
  peer.send(...answer('COMMIT', { status: 'I' }))
  t.match(await finished, [{ rowCount: 1 }, { rowCount: 1 }, { rowCount: 1 }])
})

t.test('raw statements are sent alone', async (t) => {
  const { database, peer } = await openScripted(t)
  const finished = database.session(async (session) => {
    await session.run(write('first'))
    await Promise.all([session.run(write('second')), session.run({ ...write('third'), kind: 'raw' }), session.run(write('fourth'))])
  })
  await peer.next()
  peer.send(...groupAnswer(['BEGIN'], 'UPDATE 1'))
  for (const text of ['second', 'third', 'fourth', 'commit']) {
    t.same(await peer.next(), [`Query ${text}`])
    peer.send(...answer(text === 'commit' ? 'COMMIT' : 'UPDATE 1', { status: text === 'commit' ? 'I' : 'T' }))
  }
  await finished
})

t.test('in a group the first failure has its own error, earlier ones succeed, later ones are skipped', async (t) => {
  const database = await open(t)
  const repo = database.repo(users)
  await repo.create({ email: 'taken' })
  const session = database.createSession()
  const mine = session.repo(users)
  await mine.create({ email: 'first' })

  const answers = await Promise.allSettled([mine.create({ email: 'second' }), mine.create({ email: 'taken' }), mine.create({ email: 'third' })])

  t.match(answers, [{ status: 'fulfilled', value: { email: 'second' } }, { reason: UniqueViolationError }, { reason: TransactionAbortedError }])
  t.match(answers[1], { reason: { context: { operation: 'create', table: 'users' } } })
  t.match(answers[2], { reason: { cause: { code: '23505' } } })
  await t.rejects(session.commit(), TransactionAbortedError)
  t.equal(await repo.count(), 1)
})

t.test('a statement with an unsendable value is left out, and the others are sent', async (t) => {
  const database = await open(t)
  const unwritable = { toPostgres () { throw new TypeError('no text') } }
  const session = database.createSession({ begin: 'firstQuery' })
  const insert = (email: unknown): Promise<unknown> => session.run(write('insert into users (email) values ($1)', email))
  const answers = await Promise.allSettled([insert('first'), insert(unwritable), insert('second')])
  t.match(answers, [{ status: 'fulfilled' }, { reason: ValidationError }, { status: 'fulfilled' }])
  await t.rejects(session.commit(), TransactionAbortedError)
})

t.test('more than fifty take several round trips, and each is logged once', async (t) => {
  const { database, sent } = await openEchoing(t)
  sent()
  await database.session((session) => Promise.all(Array.from({ length: 120 }, (_, number) => session.repo(users).create({ email: `${number}` }))))
  const echoed = words(sent())
  t.equal(echoed.filter((line) => line.endsWith('insert')).length, 120)
  t.equal(await database.repo(users).count(), 120)
})

t.test('a constraint that fails at a statement\'s implicit commit is that statement\'s error', async (t) => {
  const database = await open(t)
  await database.execute(sql`create table later (id int unique deferrable initially deferred)`)
  await database.execute(sql`insert into later values (1)`)
  await t.rejects(database.run(write('insert into later values ($1)', 1)), UniqueViolationError)
})

import t from 'tap'
import { run } from '../../../helpers/pool.js'
import { connectScripted, groupAnswer } from '../../../helpers/scripted-postgres.js'
import { commandComplete, emptyQueryResponse, errorResponse, noticeResponse, notificationResponse, parameterStatus, readyForQuery } from '../../../helpers/wire.js'
import type { Outcome } from '../../../../src/connection/outcome.js'
import type { ScriptedConnection } from '../../../helpers/scripted-postgres.js'

/** Sends a statement with BEGIN and a savepoint; when it has arrived, resolves with a promise of its outcome. */
async function ask ({ connection, peer }: ScriptedConnection): Promise<{ outcome: Promise<Outcome> }> {
  const outcome = run(connection, 'select name from users where id > $1', { prelude: ['begin', 'savepoint s1'], values: [0] })
  await peer.next()
  return { outcome }
}

const parts = groupAnswer(['BEGIN', 'SAVEPOINT'], 'SELECT 3', { columns: ['name'], rows: [['ada'], [null], ['žofie']] })
const rows = [{ name: 'ada' }, { name: null }, { name: 'žofie' }]
const expected = { error: undefined, sent: true, lost: false, preludeDone: 2, result: { command: 'SELECT', rowCount: 3, rows } }

t.test('an answer that is cut in two at any byte is read as one that is not', async (t) => {
  const scripted = await connectScripted(t)
  const bytes = Buffer.concat(parts)

  for (let cut = 1; cut < bytes.length; cut++) {
    const { outcome } = await ask(scripted)
    await scripted.peer.sendInPieces(scripted.pool.pool, [bytes.subarray(0, cut), bytes.subarray(cut)])
    t.strictSame((await outcome).result?.rows, rows, `behind ${cut} of ${bytes.length} bytes`)
  }
})

t.test('an answer that comes byte by byte is read as one that comes at once', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  await scripted.peer.sendInPieces(scripted.pool.pool, Array.from(Buffer.concat(parts), (byte) => Buffer.of(byte)))
  t.match(await outcome, expected)
})

const unasked = {
  NoticeResponse: noticeResponse('01000'),
  ParameterStatus: parameterStatus('TimeZone', 'UTC'),
  NotificationResponse: notificationResponse('news', 'of no concern')
}

for (const [name, message] of Object.entries(unasked)) {
  t.test(`a ${name} before any message of an answer, and after the last, changes nothing`, async (t) => {
    const scripted = await connectScripted(t)
    for (let position = 0; position <= parts.length; position++) {
      const { outcome } = await ask(scripted)
      scripted.peer.send(...parts.slice(0, position), message, ...parts.slice(position))
      t.match(await outcome, expected, `before message ${position}`)
      t.equal(scripted.connection.refusal, undefined)
    }
  })

  t.test(`a ${name} between an error and PostgreSQL's word on the transaction changes nothing`, async (t) => {
    const scripted = await connectScripted(t)
    const { outcome } = await ask(scripted)
    scripted.peer.send(...parts.slice(0, 6), message, errorResponse('22012'), message, readyForQuery('E'))
    t.match(await outcome, { error: { code: '22012' }, sent: true, lost: false, preludeDone: 2 })
    t.equal(scripted.connection.status, 'E')
  })
}

t.test('rows that arrived before an error are dropped', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(...parts.slice(0, -2), errorResponse('22012'), readyForQuery('E'))
  t.match(await outcome, { error: { code: '22012' }, result: undefined, lost: false })
})

t.test('52: a connection that ends after the rows is lost, and the rows with it', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(...parts.slice(0, -1))
  await scripted.peer.read(scripted.pool.pool)
  scripted.peer.close()
  t.match(await outcome, { error: { message: /terminated/ }, result: undefined, sent: true, lost: true, preludeDone: 2 })
})

t.test('a connection that ends between an error and PostgreSQL\'s word on the transaction is lost', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(errorResponse('22012'))
  await scripted.peer.read(scripted.pool.pool)
  scripted.peer.close()
  t.match(await outcome, { error: { code: '22012' }, sent: true, lost: true, preludeDone: 0 })
})

t.test('46: a FATAL message after an error makes the connection lost', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(errorResponse('22012'), errorResponse('57P01', 'FATAL'))
  scripted.peer.close()
  t.match(await outcome, { error: { code: '22012' }, lost: true })
})

t.test('46: a FATAL message after an answer makes the connection refuse every later statement', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(...parts, errorResponse('57P01', 'FATAL'))
  await outcome
  await scripted.peer.read(scripted.pool.pool)

  t.match(await run(scripted.connection, 'second'), { error: { code: '57P01' }, sent: false })
  t.same(scripted.peer.unread, [])
})

t.test('an empty query has an empty answer', async (t) => {
  const { connection, peer } = await connectScripted(t)
  const outcome = run(connection, '')
  t.same(await peer.next(), ['Query'])
  peer.send(emptyQueryResponse, readyForQuery('T'))
  t.match(await outcome, { error: undefined, result: { rows: [], rowCount: null } })
})

t.test('the number of rows is that of the tag, whatever its first digit', async (t) => {
  for (const count of ['0', '1', '9', '10', '89', '90', '95', '99', '100', '899', '900', '9999', '1000000', '9223372036854775807']) {
    const scripted = await connectScripted(t)
    const { outcome } = await ask(scripted)
    scripted.peer.send(...parts.slice(0, -2), commandComplete(`UPDATE ${count}`), readyForQuery('T'))
    t.match(await outcome, { result: { command: 'UPDATE', rowCount: Number(count) } }, count)
  }
})

t.test('54: an answer that no statement waits for is dropped', async (t) => {
  const scripted = await connectScripted(t)
  const { outcome } = await ask(scripted)
  scripted.peer.send(...parts.slice(0, -1), commandComplete('DELETE 5'), ...parts.slice(-1))
  t.match(await outcome, expected)
})

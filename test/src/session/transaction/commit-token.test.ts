import t from 'tap'
import { parseToken, positionOf, positionText } from '../../../../src/replicas/commit-token.js'
import { open } from '../../../helpers/database.js'
import { openEchoing, words } from '../../../helpers/echo.js'
import { groupAnswer, openScripted } from '../../../helpers/scripted-postgres.js'
import { users } from '../../../helpers/schema.js'
import { bindComplete, commandComplete, dataRow, errorResponse, noData, parseComplete, readyForQuery, rowDescription } from '../../../helpers/wire.js'
import type { Session } from '../../../../src/index.js'
import type { Peer } from '../../../helpers/scripted-postgres.js'
import type { Test } from '../../../helpers/test.js'

const token = '7400000000000000001-00000001-16-B374D848'
const committed = [parseComplete, bindComplete, noData, commandComplete('COMMIT')]

/** A session that has written, and whose COMMIT the server has received. */
async function startCommit (t: Test): Promise<{ session: Session, peer: Peer, committing: Promise<void>, messages: string[] }> {
  const { database, peer } = await openScripted(t)
  const session = database.createSession({ token: true })
  const writing = session.run({ kind: 'write', text: 'insert', values: [], context: { operation: 'test' } })
  await peer.next()
  peer.send(...groupAnswer(['BEGIN'], 'INSERT 0 1'))
  await writing
  const committing = session.commit()
  const messages = await peer.next()
  return { session, peer, committing, messages: messages.filter((message) => /^(Parse|Sync)/.test(message)) }
}

t.test('a commit gives a token for no round trip more', async (t) => {
  const { session, peer, committing, messages } = await startCommit(t)
  t.match(messages, ['Parse commit', /^Parse select .* as token/, 'Sync'])
  t.equal(session.token, undefined)
  peer.send(...committed, parseComplete, bindComplete, rowDescription('token'), dataRow(token), commandComplete('SELECT 1'), readyForQuery('I'))
  await committing
  t.equal(session.token, token)
  t.equal(session.outcome, 'committed')
})

t.test('a commit holds although its token cannot be read', async (t) => {
  const endings: Array<(peer: Peer) => void> = [
    (peer) => peer.send(...committed, errorResponse('42501'), readyForQuery('I')),
    (peer) => peer.send(...committed, parseComplete, bindComplete, rowDescription('token'), dataRow('odd'), commandComplete('SELECT 1'), readyForQuery('I')),
    (peer) => peer.send(...committed, errorResponse('57P01', 'FATAL'))
  ]
  for (const end of endings) {
    const { session, peer, committing } = await startCommit(t)
    end(peer)
    await committing
    t.equal(session.outcome, 'committed')
    t.equal(session.token, 'primary', 'reads after it go to the primary')
  }
})

t.test('a commit that failed gives none, and one that is unknown sends reads to the primary', async (t) => {
  const failed = await startCommit(t)
  failed.peer.send(errorResponse('40001'), readyForQuery('I'))
  await t.rejects(failed.committing, { code: 'DB_CONFLICT' })
  t.equal(failed.session.token, undefined)

  const lost = await startCommit(t)
  lost.peer.close()
  await t.rejects(lost.committing, { code: 'DB_COMMIT_UNKNOWN' })
  t.equal(lost.session.token, 'primary')
})

t.test('PostgreSQL gives a token that can be read, only to commits that ask for it', async (t) => {
  const database = await open(t)
  const writes = async (options?: { token: boolean }): Promise<string | undefined> => {
    const session = database.createSession(options)
    await session.repo(users).create({ email: `${Math.random()}` })
    await session.commit()
    return session.token
  }
  t.match(parseToken(await writes({ token: true })), { system: /^\d+$/, timeline: '00000001' })
  t.equal(await writes(), undefined)

  const reader = database.createSession({ token: true })
  await reader.repo(users).count()
  await reader.commit()
  t.equal(reader.token, undefined, 'nothing was written')
  reader.readAfter('anything')
})

t.test('the round trips of a write are the same with a token', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session((session) => session.repo(users).create({ email: 'ada@example.com' }), { token: true })
  t.same(words(sent()), ['begin; insert', 'commit', 'select'])
})

t.test('a text that is no token is none, and a position is written as it was read', async (t) => {
  t.same(parseToken(token), { system: '7400000000000000001', timeline: '00000001', position: 0x16B374D848n })
  for (const odd of [undefined, null, 5, [token], '', 'primary', `${token} `, token.toLowerCase(), '1-1-1-1', `${'1'.repeat(21)}-00000001-1-1`, '1-00000001-123456789-1']) {
    t.equal(parseToken(odd), undefined)
  }
  for (const text of ['0/0', '16/b374d848', 'ffffffff/ffffffff']) t.equal(positionText(positionOf(text)), text)
})

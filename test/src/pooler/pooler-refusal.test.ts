import t from 'tap'
import { isFull, refusalOf, refusesParameter } from '../../../src/pooler/pooler-refusal.js'

const refused = (message: string, code = '08P01'): Error => Object.assign(new Error(message), { code })

t.test('the words of poolers are understood', async (t) => {
  for (const [message, refusal] of [
    ['unsupported startup parameter: lock_timeout', 'parameter'],
    ['unsupported startup parameter: options', 'options'],
    ['unsupported startup parameter in options: search_path', 'options'],
    ['password authentication failed', 'password'],
    ['SASL authentication failed', 'password'],
    ['no such user: ada', 'password'],
    ['no such database: shop', 'database'],
    ['no more connections allowed (max_client_conn)', 'full'],
    ['client connections exceeded (max_db_client_connections)', 'full'],
    ['query_wait_timeout', 'wait'],
    ['server login has been failing, try again later (server_login_retry)', 'server'],
    ['database "app" is disabled', 'disabled'],
    ['something else', undefined]
  ] as const) t.equal(refusalOf(refused(message)), refusal, message)
  t.equal(refusalOf(refused('no such database: shop', '42P01')), undefined)
  t.equal(refusalOf(undefined), undefined)
})

t.test('of several hosts the first that says why counts', async (t) => {
  const failures = new AggregateError([refused('nothing', 'ECONNREFUSED'), refused('unsupported startup parameter: lock_timeout')])
  t.equal(refusalOf(failures), 'parameter')
  t.equal(refusesParameter(failures, ['lock_timeout']), true)
  t.equal(refusesParameter(failures, ['other']), false)
  t.equal(refusalOf(new AggregateError([])), undefined)
})

t.test('PostgreSQL and poolers may be full', async (t) => {
  t.equal(isFull(refused('sorry, too many clients already', '53300')), true)
  t.equal(isFull(refused('no more connections allowed (max_client_conn)')), true)
  t.equal(isFull(refused('no such database: shop')), false)
})

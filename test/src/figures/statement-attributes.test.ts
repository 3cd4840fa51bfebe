import t from 'tap'
import { commandOf, errorTypeOf, summaryOf } from '../../../src/figures/statement-attributes.js'
import { PoolTimeoutError } from '../../../src/index.js'

t.test('the command of a text is its first word, if PostgreSQL has such a command', async (t) => {
  const texts: Array<[text: string, command: string | undefined]> = [
    ['select 1', 'SELECT'],
    ['\n  ( /* a * comment */ -- and a line\n SELECT 1)', 'SELECT'],
    ['with moved as (delete from a returning *) select 1', 'WITH'],
    ['canary', undefined],
    ['', undefined],
    [`${'/**/'.repeat(50_000)}1`, undefined]
  ]
  for (const [text, command] of texts) t.equal(commandOf(text), command, text.slice(0, 40))
})

t.test('a summary is the command and the table', async (t) => {
  t.equal(summaryOf({ text: 'select 1', table: 'users' }), 'SELECT users')
  t.equal(summaryOf({ text: 'select 1', table: undefined }), 'SELECT')
  t.equal(summaryOf({ text: 'canary', table: 'users' }), undefined)
})

t.test('the type of an error is its SQLSTATE, or its code, or nothing more than that there was one', async (t) => {
  t.equal(errorTypeOf({}), undefined)
  t.equal(errorTypeOf({ error: new Error('x'), sqlState: '23505' }), '23505')
  t.equal(errorTypeOf({ error: new PoolTimeoutError() }), 'DB_POOL_TIMEOUT')
  t.equal(errorTypeOf({ error: new Error('x') }), '_OTHER')
})

/** Whatever travels together, the answers are those of the same statements sent one by one in a transaction. */
import fc from 'fast-check'
import t from 'tap'
import { mostNames } from '../../../src/connection/prepared-statements.js'
import { toDatabaseError } from '../../../src/errors/to-database-error.js'
import { caller, openPool, run } from '../../helpers/pool.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Task } from '../../../src/connection/batch.js'
import type { Outcome } from '../../../src/connection/outcome.js'
import type { Statement } from '../../../src/statement/statement.js'

/** One statement of a group: what it does, with which value, and whether PostgreSQL is to keep it. */
interface Step {
  readonly what: keyof typeof texts
  readonly value: number
  readonly isNamed: boolean
}

const texts = {
  insert: "insert into users (email) values ('user' || $1::int) returning email, balance",
  change: "update users set balance = balance + 1 where email = 'user' || $1::int",
  overdraw: "update users set balance = -1 where email = 'user' || $1::int",
  read: 'select email, balance from users where length(email) > $1::int % 7 order by email',
  none: 'select $1::int as none where false',
  divide: 'select 10 / ($1::int % 4) as quotient',
  word: 'select $1::int as number',
  wrong: 'select $1::int from nowhere'
} as const

function statementOf ({ what, value, isNamed }: Step): Statement {
  return {
    kind: 'write',
    text: texts[what],
    values: [what === 'word' && value % 3 === 0 ? 'no number' : value],
    context: { operation: what },
    ...(isNamed && { name: what })
  }
}

/** What became of a statement, in words that are the same however it was sent. */
function told ({ error, result }: Outcome): unknown {
  if (error !== undefined) return toDatabaseError(error).code
  const { rows, rowCount, command } = result ?? {}
  return { rows, rowCount, command }
}

async function together (connection: Connection, statements: readonly Statement[]): Promise<Outcome[]> {
  const outcomes = new Map<Statement, Outcome>()
  await new Promise<void>((resolve) => {
    const tasks = statements.map((statement): Task => ({
      statement, done: (outcome) => { if (outcomes.set(statement, outcome).size === statements.length) resolve() }
    }))
    connection.send(tasks, ['begin'])
  })
  return statements.map((statement) => outcomes.get(statement) as Outcome)
}

async function oneByOne (connection: Connection, statements: readonly Statement[]): Promise<Outcome[]> {
  await run(connection, 'begin')
  const outcomes: Outcome[] = []
  for (const { text, values, context } of statements) outcomes.push(await connection.run({ kind: 'write', text, values, context }))
  return outcomes
}

t.test('a group answers as the same statements one by one in a transaction, and the connection knows its names', async (t) => {
  const pool = await openPool(t, { pool: { size: 2, maxOverflow: 0 } })
  const [fast, slow] = [await pool.connect(caller), await pool.connect(caller)]
  const what = fc.constantFrom(...Object.keys(texts) as Array<Step['what']>, 'read', 'change', 'insert', 'none')
  const step = fc.record({ what, value: fc.nat(12), isNamed: fc.boolean() })
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.comment(`seed ${seed}`)

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const outcomes: Outcome[][] = []
    for (const [connection, send] of [[fast, together], [slow, oneByOne]] as const) {
      connection.enterTransaction()
      outcomes.push(await send(connection, steps.map(statementOf)))
      connection.leaveTransaction()
      t.match(await run(connection, 'rollback'), { error: undefined, missedTransaction: false })
    }
    t.strictSame(outcomes[0]?.map(told), outcomes[1]?.map(told))
    t.same(fast.refusal, undefined)
  }), { numRuns: 150, seed })

  const { result } = await run(fast, 'select name from pg_prepared_statements')
  t.ok(Number(result?.rowCount) > 1 && Number(result?.rowCount) <= mostNames)
  for (const connection of [fast, slow]) connection.release()
})

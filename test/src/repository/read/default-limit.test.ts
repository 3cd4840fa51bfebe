import t from 'tap'
import { cut } from '../../../../src/repository/read/default-limit.js'
import { SqlBuilder, TableStatements } from '../../../../src/repository/table/table-statements.js'
import { users } from '../schema.js'
import type { StatementRunner } from '../../../../src/statement/statement.js'

t.test('forgets callers that it warned long ago, whatever their number', async (t) => {
  const table = new TableStatements(users, new SqlBuilder({ defaultLimit: 1, maxLimit: 10 }))
  const warned: string[] = []
  const list = (label: string): void => {
    const session = { caller: { label, logger: { warn: ({ route }: { route: string }) => warned.push(route) } } } as unknown as StatementRunner
    t.equal(cut({ rows: [{ id: 1 }, { id: 2 }], rowCount: 2, command: 'SELECT' }, { operation: 'getAll', options: undefined }, { session, table }).length, 1)
  }
  for (let job = 0; job < 1000; job++) list(`job ${job}`)
  for (let job = 0; job < 1000; job++) list(`job ${job}`)
  t.equal(warned.length, 1000, 'each of the last thousand is warned once')
  for (let job = 1000; job < 3000; job++) list(`job ${job}`)
  list('job 0')
  t.equal(warned.at(-1), 'job 0', 'the first was forgotten')
  t.equal(warned.length, 3001)
})

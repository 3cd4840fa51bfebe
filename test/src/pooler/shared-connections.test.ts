import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { tables } from '../../helpers/schema.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { countRoundTrips, interleave } from '../../load/poolers/calm.js'

for (const keepsNames of [false, true]) {
  t.test(`a read is one round trip, a create two, and no setting stays behind, ${keepsNames ? 'with' : 'without'} names`, async (t) => {
    const { connectionString: direct } = await createTestDatabase(t, { sql: tables })
    const { connectionString } = await startTransactionPooler(t, direct, { keepsNames, servers: 3 })
    const results = [...await countRoundTrips(connectionString), ...await interleave(connectionString, 120)]
    for (const { what, seen, isKept } of results) t.ok(isKept, `${what}: ${seen}`)
  })
}

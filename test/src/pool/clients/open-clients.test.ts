import { Pool } from 'pg'
import t from 'tap'
import { ClientState } from '../../../../src/connection/client-state.js'
import { OpenClients } from '../../../../src/pool/clients/open-clients.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { startProxy } from '../../../helpers/proxy.js'

t.test('the clients of two addresses that turn read-only together are renewed once, and each of them is replaced', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pools = [new Pool({ connectionString }), new Pool({ connectionString: proxy.connectionString })] as const
  t.teardown(() => Promise.all(pools.map((pool) => pool.end())))
  const clients = new OpenClients()
  const [first, second] = [await pools[0].connect(), await pools[1].connect()]
  for (const client of [first, second]) clients.checkedOut(client)

  t.equal(clients.renew(pools[0], ClientState.of(first)), true)
  t.equal(clients.renew(pools[0], ClientState.of(first)), false, 'once for a client')
  t.equal(clients.renew(pools[1], ClientState.of(second)), false, 'once in a while')
  for (const client of [first, second]) {
    t.equal(ClientState.of(client).isOutdated, true)
    client.release(true)
  }
})

import { setTimeout as wait } from 'node:timers/promises'
import { ignore } from '../../../src/runtime/promises.js'
import { queryOnce } from '../../helpers/backend.js'
import type { ReplicatedCluster } from './cluster.js'

/** What happens to the replicas while clients write and read, one after the other. */
export async function * faults ({ primary, standbys, killAndRestart }: ReplicatedCluster): AsyncGenerator<string> {
  const [near, , spare, heir] = standbys
  if (near === undefined || spare === undefined || heir === undefined) throw new Error('The cluster has four standbys')
  const pauseMillis = 1500
  for (;;) {
    await spare.lag()
    yield 'replay paused'
    await wait(pauseMillis)
    await spare.catchUp()
    // It may itself be cancelled by a conflict with recovery.
    await queryOnce(near.connectionString, "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()").catch(ignore)
    yield 'connections terminated'
    await wait(pauseMillis)
    await queryOnce(primary.connectionString, 'begin; lock table clients in access exclusive mode; commit')
    yield 'recovery conflict'
    await wait(pauseMillis)
    await spare.part()
    await wait(pauseMillis)
    await spare.rejoin()
    yield 'parted from its primary'
    await killAndRestart(spare, pauseMillis)
    yield 'killed and started again'
    await wait(pauseMillis)
    if ((await queryOnce<{ standby: boolean }>(heir.connectionString, 'select pg_is_in_recovery() as standby'))[0]?.standby === true) {
      await heir.promote()
      await queryOnce(heir.connectionString, 'update clients set value = -1')
      yield 'promoted'
    }
  }
}

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startPostgres } from '../../../src/testing/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { startStandby } from '../../helpers/standby.js'
import { newFolder } from '../crash/cluster.js'
import type { PostgresServer } from '../../../src/testing/index.js'
import type { Standby } from '../../helpers/standby.js'

/** How long each standby waits before it applies a commit, in milliseconds. */
export const delays = [50, 10_000, 0, 50]

/** A primary and its standbys. */
export interface ReplicatedCluster {
  readonly primary: PostgresServer
  readonly standbys: readonly Standby[]
  /** Kills a standby with all of its sessions, and starts it again after a while. */
  killAndRestart (standby: Standby, pauseMillis: number): Promise<void>
  stop (): Promise<void>
}

export async function startCluster (tables: string): Promise<ReplicatedCluster> {
  const place = newFolder()
  const primary = await startPostgres({ folder: join(place, 'primary') })
  await queryOnce(primary.connectionString, tables)
  const standbys: Standby[] = []
  for (const [index, millis] of delays.entries()) {
    const standby = await startStandby(primary, join(place, `standby-${index + 1}`))
    await queryOnce(standby.connectionString, `alter system set recovery_min_apply_delay = '${millis}ms'`)
    // Where others also act on a standby, its conflicts must not strike them.
    if (index === 0) await queryOnce(standby.connectionString, "alter system set max_standby_streaming_delay = '10ms'")
    await queryOnce(standby.connectionString, 'select pg_reload_conf()')
    standbys.push(standby)
  }
  const running = new Map(standbys.map((standby) => [standby, standby.server]))
  return {
    primary,
    standbys,
    async killAndRestart (standby, pauseMillis) {
      const server = running.get(standby) ?? standby.server
      process.kill(server.pid, 'SIGKILL')
      await server.ended
      await wait(pauseMillis)
      const port = Number(new URL(server.connectionString).port)
      // The children of a killed postmaster still hold its memory.
      for (let left = 200; ; left--) {
        try {
          running.set(standby, await startPostgres({ folder: server.folder, port: () => port }))
          return
        } catch (error) {
          if (left === 0) throw error
          await wait(50)
        }
      }
    },
    async stop () {
      await Promise.all(Array.from(running.values(), (server) => server.stop()))
      await primary.stop()
      rmSync(place, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

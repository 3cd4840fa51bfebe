import { setTimeout as wait } from 'node:timers/promises'
import type { Proxy } from '../../helpers/proxy.js'
import type { Cluster } from './cluster.js'
import type { Program } from './program.js'
import type { Random } from './random.js'

/** The targets of faults. */
export interface Site {
  readonly cluster: Cluster
  readonly proxy: Proxy
  readonly program: Program
  readonly random: Random
  /** The subject's spelling of COMMIT. */
  readonly commit: string
}

/** One way to fail. */
export interface Fault {
  readonly title: string
  /** The part that was away; the time until a request is served again is reported for each part. */
  readonly hits: 'database' | 'network' | 'subject'
  /** Resolves when the part is back; rejects if there was nothing to strike. */
  strike (site: Site): Promise<void>
}

/** Longer than the subject waits for the answer to a statement or to COMMIT. */
const silenceMillis = 2000

/** How long a fault may wait for a COMMIT, in milliseconds. */
const patienceMillis = 5000

/** Every kind of fault once, in the order in which they strike. */
export const faults: readonly Fault[] = [
  {
    title: 'one backend terminated',
    hits: 'database',
    async strike ({ cluster }) {
      const [pid] = await cluster.backends()
      await cluster.query('select pg_terminate_backend($1)', [pid])
    }
  },
  atCommit('answer to COMMIT lost, cut', ({ proxy, commit }) => proxy.loseAnswer(commit, 'cut')),
  atCommit('COMMIT lost before PostgreSQL got it', ({ proxy, commit }) => proxy.loseRequest(commit, 'reset')),
  { title: 'all connections cut', hits: 'network', async strike ({ proxy }) { proxy.cut() } },
  {
    title: 'postmaster killed (-9)',
    hits: 'database',
    strike: ({ cluster }) => cluster.killPostmaster()
  },
  atCommit('answer to COMMIT lost, reset', ({ proxy, commit }) => proxy.loseAnswer(commit, 'reset')),
  { title: 'all connections reset', hits: 'network', async strike ({ proxy }) { proxy.reset() } },
  {
    title: 'one backend killed (-9)',
    hits: 'database',
    async strike ({ cluster }) {
      const [pid] = await cluster.backends()
      if (pid === undefined) throw new Error('no backend to kill')
      process.kill(pid, 'SIGKILL')
      // The postmaster ends all other backends and replays its log; only then is the database back.
      const ended = async (): Promise<boolean> => await cluster.backends().then((pids) => !pids.includes(pid), () => false)
      while (!await ended()) await wait(5)
    }
  },
  during('network slow', 400, { begin: ({ proxy }) => proxy.delay(60), end: ({ proxy }) => proxy.delay(0) }),
  atCommit('ReadyForQuery behind COMMIT lost', ({ proxy, commit }) => proxy.loseReady(commit, 'cut')),
  { title: 'server killed (-9)', hits: 'subject', strike: ({ program }) => program.kill() },
  { title: 'database restarted (fast)', hits: 'database', strike: ({ cluster }) => cluster.restart() },
  during('connections silent', silenceMillis, { begin: ({ proxy }) => proxy.silence(), end: ({ proxy }) => proxy.resume() }),
  {
    title: 'all backends terminated',
    hits: 'database',
    async strike ({ cluster }) {
      await cluster.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [await cluster.backends()])
    }
  },
  during('network down: connections refused', 300, { begin: ({ proxy }) => proxy.refuse(), end: ({ proxy }) => proxy.resume() }),
  during('failed transactions said to be well', 400, { begin: ({ proxy }) => proxy.hideFailures(true), end: ({ proxy }) => proxy.hideFailures(false) }),
  during('network swallows everything', 500, { begin: ({ proxy }) => proxy.blackHole(), end: ({ proxy }) => proxy.resume() }),
  {
    ...atCommit('answer to COMMIT lost, silence', ({ proxy, commit }) => proxy.loseAnswer(commit, 'silence')),
    async strike (site) {
      await happens(site.proxy.loseAnswer(site.commit, 'silence'))
      await wait(silenceMillis)
      await site.proxy.resume()
    }
  },
  during('answers trickle', 400, { begin: ({ proxy }) => proxy.drip(1), end: ({ proxy }) => proxy.drip(0) }),
  { title: 'bytes that are not PostgreSQL\'s', hits: 'network', async strike ({ proxy }) { proxy.garble() } }
]

/** One of the faults at the moment of COMMIT. */
function atCommit (title: string, lose: (site: Site) => Promise<void>): Fault {
  return { title, hits: 'network', strike: (site) => happens(lose(site)) }
}

/** A state that lasts for a while. */
function during (title: string, millis: number, { begin, end }: Record<'begin' | 'end', (site: Site) => unknown>): Fault {
  return {
    title,
    hits: 'network',
    async strike (site) {
      await begin(site)
      await wait(millis)
      await end(site)
    }
  }
}

/** Resolves when it has happened; rejects if no COMMIT was sent. */
export async function happens (struck: Promise<void>): Promise<void> {
  const missed = wait(patienceMillis, 'missed', { ref: false })
  if (await Promise.race([struck, missed]) === 'missed') throw new Error('nobody sent a COMMIT')
}

import { codeOf } from './error-code.js'
import type { SessionState, TargetSession } from './session-state.js'

/** One host of a URL. pg's defaults (`PGHOST`, `PGPORT`) complete it. */
export interface HostAddress {
  readonly host: string | undefined
  readonly port: number | undefined
}

/** The hosts that a client tries, and the session that it wants. */
export interface Hosts {
  readonly addresses: readonly HostAddress[]
  readonly target: TargetSession
  /** Whether hosts, and the addresses of each, are tried in random order. */
  readonly isRandom: boolean
  /** The longest time for one host; undefined leaves it to {@link defaultTimeoutMillis}. */
  readonly timeoutMillis: number | undefined
}

/** The longest time for a host that is not the last one, if the URL has no `connect_timeout`. */
export const defaultTimeoutMillis = 5000

/** How long a host that failed is tried after the others, in milliseconds. */
const memoryMillis = 10_000

/** What the last attempt has shown of a host: the higher, the later it is tried. */
const ranks = { fit: 0, unfit: 1, unreachable: 2 } as const

interface Memory {
  readonly rank: number
  readonly until: number
}

const memories = new WeakMap<Hosts, Map<HostAddress, Memory>>()

/** Remembers, for all clients with the same hosts, what an attempt has shown. */
export function remember (hosts: Hosts, address: HostAddress, shown: keyof typeof ranks): void {
  let memory = memories.get(hosts)
  if (memory === undefined) memories.set(hosts, memory = new Map())
  memory.set(address, { rank: ranks[shown], until: performance.now() + memoryMillis })
}

/** The hosts in the order in which a client tries them: those that have just failed come last. */
export function inOrder (hosts: Hosts, now = performance.now()): HostAddress[] {
  const memory = memories.get(hosts)
  const rankOf = (address: HostAddress): number => {
    const known = memory?.get(address)
    return known === undefined || known.until < now ? ranks.fit : known.rank
  }
  const addresses = hosts.isRandom ? shuffled(hosts.addresses) : hosts.addresses
  return addresses.map((address) => ({ address, rank: rankOf(address) })).sort((one, other) => one.rank - other.rank).map(({ address }) => address)
}

/** A copy in random order. */
export function shuffled<Item> (items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, place: Math.random() })).sort((one, other) => one.place - other.place).map(({ item }) => item)
}

/** The failure of one host. */
export interface HostFailure {
  readonly address: HostAddress
  /** The error of the attempt; undefined if the host has answered, and its session does not fit. */
  readonly error: Error | undefined
  readonly state: SessionState
}

const wanted: Readonly<Record<TargetSession, string>> = {
  any: 'can be reached',
  'read-write': 'accepts writes',
  'read-only': 'is read-only',
  primary: 'is a primary',
  standby: 'is a standby',
  'prefer-standby': 'can be reached'
}

/** The error if no host can be used. Its message has the number of each host, and no name. */
export class HostsError extends AggregateError {
  override readonly name = 'HostsError'
  /** The code that all failures share, for example `ECONNREFUSED`; else `NO_SUITABLE_HOST`. */
  readonly code: string

  constructor ({ addresses, target }: Hosts, failures: readonly HostFailure[]) {
    const inUrl = addresses.flatMap((address) => failures.find((failure) => failure.address === address) ?? [])
    const told = inUrl.map((failure) => `host ${addresses.indexOf(failure.address) + 1} ${reasonOf(failure, target)}`)
    super(failures.flatMap(({ error }) => error ?? []), `none of the ${addresses.length} hosts of the URL ${wanted[target]}: ${told.join(', ')}`)
    const [code, ...others] = new Set(failures.map(({ error }) => codeOf(error)))
    this.code = others.length === 0 && code !== undefined ? code : 'NO_SUITABLE_HOST'
  }
}

function reasonOf ({ error, state }: HostFailure, target: TargetSession): string {
  if (error !== undefined) return `failed (${codeOf(error) ?? 'the connection was lost'})`
  if (state.standby === true) return 'is a standby'
  return target === 'read-write' ? 'is read-only' : 'is a primary'
}

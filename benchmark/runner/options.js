import { parseArgs } from 'node:util'
import { peers } from '../peers/index.js'
import { endpoints } from './endpoints.js'

/** The command line is invalid. The message gives the reason. */
export class UsageError extends Error {
  name = 'UsageError'
}

/**
 * Reads the values of flags with Node's `parseArgs`.
 *
 * @throws {UsageError} for an unknown flag
 */
export function parseFlags (args, options) {
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new UsageError(error.message)
  }
}

/** The flags of `npm run bench`. */
const flags = {
  peers: { type: 'string' },
  endpoints: { type: 'string' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '1' },
  'warm-up': { type: 'string', default: '3' },
  connections: { type: 'string', default: '32' },
  pool: { type: 'string' },
  latency: { type: 'string', default: '0' },
  'plain-reads': { type: 'boolean', default: false },
  durable: { type: 'boolean', default: false },
  'round-trips': { type: 'boolean', default: false },
  young: { type: 'boolean', default: false },
  growth: { type: 'boolean', default: false },
  start: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
}

export const help = `npm run bench -- [flags]
  --peers ours,drizzle     which: ${peers.map(({ name }) => name).join(', ')}
  --endpoints read,create  which: ${endpoints.map(({ name }) => name).join(', ')}
  --rounds 5               how often each peer has its turn at each endpoint
  --seconds 1              how long a turn is measured
  --warm-up 3              seconds of load before the first turn of each peer at each endpoint
  --connections 32         requests at the same time
  --pool 20                connections to PostgreSQL, the same for all; fewer without this flag if
                           the servers of all peers would take more than PostgreSQL has
  --latency 2              milliseconds that each round trip to PostgreSQL is made longer by
  --plain-reads            reads and lists without a transaction, wherever a peer lets one choose
  --durable                commits wait for the disk
  --round-trips            count the round trips of each request instead, into round-trips.md
  --young                  measure the 1,000th to the 10,000th request after a start instead, into young.md
  --growth                 measure 1 to 1,000 connections over pools of 5 to 60 instead, into growth.md
  --start                  measure from the start of a process to its first reply instead, into start.md
  --check                  only check that all answer alike
Without --peers and --endpoints the results go to files, results.md and chart.svg, with them to the terminal only; --write writes them all the same.`

/** All servers stay up, and PostgreSQL takes 300 connections: some are left for the benchmark itself. */
const mostConnections = 280

/** What is measured instead of the bursts, with the peers and endpoints that it has without `--peers` and `--endpoints`. */
const kinds = {
  'round-trips': {},
  young: { peers: 'ours,pg-pipeline,floor,floor-commit,drizzle', endpoints: 'read,list,create,update,transfer' },
  growth: { peers: 'ours,pg,pg-transaction,pg-pipeline', endpoints: 'read,create' },
  start: { peers: 'ours,pg,floor,drizzle', endpoints: 'read' }
}

/**
 * Reads the command line.
 *
 * @param {string[]} args
 * @throws {UsageError} that names the flag and the allowed values
 */
export function readOptions (args) {
  const values = parseFlags(args, flags)
  const isPart = values.peers !== undefined || values.endpoints !== undefined
  const [kind, second] = Object.keys(kinds).filter((name) => values[name])
  if (second !== undefined) throw new UsageError(`--${kind} and --${second} are two measurements`)
  const usual = kinds[kind] ?? {}
  const measured = chosen(peers, values.peers ?? usual.peers, 'peers')
  return {
    kind,
    peers: measured,
    endpoints: chosen(endpoints, values.endpoints ?? usual.endpoints, 'endpoints'),
    rounds: number(values, 'rounds', 1),
    seconds: number(values, 'seconds', 0.05),
    warmUpSeconds: number(values, 'warm-up', 0),
    connections: number(values, 'connections', 1),
    poolSize: values.pool === undefined ? Math.min(20, Math.trunc(mostConnections / measured.length)) : number(values, 'pool', 1),
    latencyMillis: number(values, 'latency', 0),
    plainReads: values['plain-reads'],
    durable: values.durable,
    checksOnly: values.check,
    writes: values.write || !isPart,
    help: values.help
  }
}

function chosen (all, list, flag) {
  if (list === undefined) return all
  return list.split(',').map((name) => {
    const one = all.find((candidate) => candidate.name === name)
    if (one === undefined) throw new UsageError(`--${flag}: there is no ${name}, but ${all.map((candidate) => candidate.name).join(', ')}`)
    return one
  })
}

function number (values, flag, least) {
  const value = Number(values[flag])
  if (!(value >= least)) throw new UsageError(`--${flag} must be a number from ${least} on`)
  return value
}

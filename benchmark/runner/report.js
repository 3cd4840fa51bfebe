import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')

/** Returns the installed version of a package. */
export function versionOf (name) {
  const paths = createRequire(join(folder, 'package.json')).resolve.paths(name)
  for (const path of paths) {
    try {
      return JSON.parse(readFileSync(join(path, name, 'package.json'), 'utf8')).version
    } catch {
      // Tries the parent folder.
    }
  }
  return 'not installed'
}

/** The machine and the settings of the measurement, as a list. */
export function conditions ({ options, database, roundTripMicros }) {
  const [processor] = cpus()
  return [
    `- ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${processor.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}; load, servers and PostgreSQL on the same machine`,
    `- Node ${process.versions.node}, PostgreSQL ${database.version}, Fastify ${versionOf('fastify')}, pg ${versionOf('pg')}`,
    `- ${options.connections} connections to the server, ${options.poolSize} to PostgreSQL, ${options.durable ? 'commits wait for the disk' : 'commits do not wait for the disk (fsync=off): programs are measured, not disks'}`,
    `- each peer had ${options.rounds} turns of ${options.seconds} s at each endpoint`,
    `- a round trip to PostgreSQL (\`select 1\` from an idle client) takes ${Math.round(roundTripMicros)} µs${options.latencyMillis > 0 ? `, with ${options.latencyMillis} ms added by a proxy` : ''}`,
    ...(options.plainReads ? ['- reads and lists without a transaction, wherever a peer lets one choose'] : [])
  ].join('\n')
}

const round = (value) => Math.round(value).toLocaleString('en-US')
const two = (value) => value.toFixed(2)
const range = ({ min, max }, format) => `${format(min)}–${format(max)}`
const withRange = (summary, format) => summary === undefined ? '–' : `${format(summary.median)} (${range(summary, format)})`
const millis = (micros) => (micros / 1000).toFixed(1)

/** A Markdown table, with numbers aligned to the right. */
export function table (head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => index === 0 ? '---' : '---:')), ...rows.map(line)].join('\n')
}

/** The section of one endpoint. */
export function endpointTable (rows) {
  const head = ['', 'requests/s', 'to BEGIN … COMMIT', 'to no transaction', 'server µs', 'PostgreSQL µs', 'p50 ms', 'p99 ms', 'memory MiB', 'errors']
  return table(head, rows.map((row) => [
    row.peer.title,
    withRange(row.perSecond, round),
    withRange(row.toTransaction, two),
    withRange(row.toPlain, two),
    round(row.serverMicros.median),
    row.postgresMicros === undefined ? '–' : round(row.postgresMicros.median),
    millis(row.p50Micros.median),
    millis(row.p99Micros.median),
    round(row.rss / 2 ** 20),
    row.errors
  ]))
}

/** The ratios to the baseline with a transaction: a row for each peer, a column for each endpoint. */
export function ratioTable (results) {
  const head = ['', ...results.map(({ endpoint }) => endpoint.title)]
  return table(head, results[0].rows.map(({ peer }, index) => [
    versionTitle(peer),
    ...results.map(({ rows }) => rows[index].toTransaction === undefined ? '–' : two(rows[index].toTransaction.median))
  ]))
}

function versionTitle ({ title, package: name }) {
  return name === undefined || title.startsWith('the same') ? title : `${title} (${versionOf(name)})`
}

/** `results.md`. */
export function report ({ results, ...rest }) {
  return [
    '# Results',
    'Made by `npm run bench`; [README.md](README.md) tells what is measured, and how.',
    conditions(rest),
    '## Requests per second, as ratios to hand-written pg with BEGIN … COMMIT',
    'Medians over the rounds; more is better. What “the same once more” differs from 1 by is noise.',
    ratioTable(results),
    ...results.flatMap(({ endpoint, rows }) => [`## ${endpoint.title}`, endpointTable(rows)]),
    'Medians, with the smallest and the largest of the rounds in parentheses. Processor time is that of one request: of the server’s process, and of all processes of PostgreSQL. Memory is the resident set of the server’s process behind its bursts.',
    ''
  ].join('\n\n').replace(/\n+$/, '\n')
}

/** `round-trips.md`. */
export function roundTripReport ({ counted, options, database }) {
  const cell = ({ roundTrips, syncs }) => roundTrips === syncs ? `${roundTrips}` : `${roundTrips} (${syncs})`
  return [
    '# Round trips',
    'Made by `npm run bench -- --round-trips`: how often one request makes the server wait for PostgreSQL, counted by a proxy that reads the protocol. In parentheses how many groups of messages PostgreSQL answered with ReadyForQuery, where some of them travelled together.',
    `PostgreSQL ${database.version}, pg ${versionOf('pg')}${options.plainReads ? '; reads and lists without a transaction, wherever a peer lets one choose' : ''}`,
    table(['', ...options.endpoints.map(({ title }) => title)], counted.map(({ peer, counts }) => [versionTitle(peer), ...counts.map(cell)])),
    ''
  ].join('\n\n').replace(/\n+$/, '\n')
}

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
    ...(has(options, 'growth', 'start') ? [] : [`- ${options.connections} connections to the server, ${options.poolSize} to PostgreSQL`]),
    options.durable ? '- commits wait for the disk, which is the same for all: judge them by processor time' : '- commits do not wait for the disk (fsync=off): programs are measured, not disks',
    ...(has(options, 'young', 'start') ? [] : [`- each peer had ${options.rounds} turns of ${options.seconds} s at each endpoint`]),
    `- a round trip to PostgreSQL (\`select 1\` from an idle client) takes ${Math.round(roundTripMicros)} µs${options.latencyMillis > 0 ? `, with ${options.latencyMillis} ms added by a proxy` : ''}`,
    ...(options.plainReads ? ['- reads and lists without a transaction, wherever a peer lets one choose'] : [])
  ].join('\n')
}

const has = ({ kind }, ...kinds) => kinds.includes(kind)
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

/** The section of one endpoint: processor time first, which the other programs of the machine change least. */
export function endpointTable (rows) {
  const head = ['', 'server µs', 'to pipelined pg', 'PostgreSQL µs', 'requests/s', 'to BEGIN … COMMIT', 'p50 ms', 'p99 ms', 'memory MiB', 'errors']
  return table(head, rows.map((row) => [
    row.peer.title,
    round(row.serverMicros.median),
    withRange(row.toPipeline, two),
    row.postgresMicros === undefined ? '–' : round(row.postgresMicros.median),
    withRange(row.perSecond, round),
    withRange(row.toTransaction, two),
    millis(row.p50Micros.median),
    millis(row.p99Micros.median),
    round(row.rss / 2 ** 20),
    row.errors
  ]))
}

/** One ratio of the peers, `toPipeline` or `toTransaction`: a row for each peer, a column for each endpoint. */
export function ratioTable (results, name) {
  const head = ['', ...results.map(({ endpoint }) => endpoint.title)]
  return table(head, results[0].rows.map(({ peer }, index) => [
    versionTitle(peer),
    ...results.map(({ rows }) => rows[index][name] === undefined ? '–' : two(rows[index][name].median))
  ]))
}

function versionTitle ({ title, package: name }) {
  return name === undefined || title.startsWith('the same') ? title : `${title} (${versionOf(name)})`
}

const processorTime = 'Processor time is that of the server’s process for one request, as a ratio to pg with prepared statements and pipelines by hand. It is normed: a fixed piece of work beside each burst tells how fast the machine was.'
const legend = 'Medians, with the smallest and the largest of the rounds in parentheses. Processor time is that of one request: of the server’s process, and of all processes of PostgreSQL. Memory is the resident set of the server’s process behind its bursts.'

function page (...parts) {
  return [...parts, ''].join('\n\n').replace(/\n+$/, '\n')
}

/** `results.md`. */
export function report ({ results, ...rest }) {
  return page(
    '# Results',
    'Made by `npm run bench`; [README.md](README.md) tells what is measured, and how.',
    conditions(rest),
    '## Processor time, as ratios to pipelined pg',
    `${processorTime} Medians over the rounds; less is better.`,
    ratioTable(results, 'toPipeline'),
    '## Requests per second, as ratios to hand-written pg with BEGIN … COMMIT',
    'Medians over the rounds; more is better. What “the same once more” differs from 1 by is noise.',
    ratioTable(results, 'toTransaction'),
    ...results.flatMap(({ endpoint, rows }) => [`## ${endpoint.title}`, endpointTable(rows)]),
    legend
  )
}

/** `young.md`. */
export function youngReport ({ results, ...rest }) {
  return page(
    '# The first requests after a start',
    'Made by `npm run bench -- --young`: the 1,000th to the 10,000th request of a server that was just started. Deployments, scaling and tests live in these seconds.',
    conditions(rest),
    `${processorTime} Medians over ${rest.options.rounds} starts; less is better.`,
    ratioTable(results, 'toPipeline'),
    ...results.flatMap(({ endpoint, rows }) => [`## ${endpoint.title}`, endpointTable(rows)]),
    legend
  )
}

/** `growth.md`. */
export function growthReport ({ results, ...rest }) {
  const values = { 'Requests per second': (row) => round(row.perSecond.median), 'p99 in ms': (row) => millis(row.p99Micros.median), 'Server µs': (row) => round(row.serverMicros.median) }
  return page(
    '# Growth',
    'Made by `npm run bench -- --growth`: requests at the same time, from 1 to 1,000, over pools of 5 to 60 connections to PostgreSQL. A number of errors follows a plus sign.',
    conditions(rest),
    ...results.flatMap(({ endpoint, poolSize, steps }) => [
      `## ${endpoint.title}, a pool of ${poolSize}`,
      ...Object.entries(values).map(([title, valueOf]) => table([title, ...steps.map(({ connections }) => `${connections}`)], steps[0].rows.map(({ peer }, index) => [
        peer.title, ...steps.map(({ rows }) => `${valueOf(rows[index])}${rows[index].errors > 0 ? ` + ${rows[index].errors}` : ''}`)
      ])))
    ])
  )
}

/** `start.md`. */
export function startReport ({ starts, ...rest }) {
  return page(
    '# Start',
    'Made by `npm run bench -- --start`: from the start of a process to its first reply, a read by key.',
    conditions(rest),
    table(['', 'processor ms', 'ms', 'memory MiB'], starts.map(({ peer, processorMillis, millis: elapsed, rss }) => [
      versionTitle(peer), withRange(processorMillis, round), withRange(elapsed, round), round(rss / 2 ** 20)
    ])),
    `Medians over ${rest.options.rounds} starts, with the smallest and the largest in parentheses.`
  )
}

/** `round-trips.md`. */
export function roundTripReport ({ counted, options, database }) {
  const cell = ({ roundTrips, syncs }) => roundTrips === syncs ? `${roundTrips}` : `${roundTrips} (${syncs})`
  return page(
    '# Round trips',
    'Made by `npm run bench -- --round-trips`: how often one request makes the server wait for PostgreSQL, counted by a proxy that reads the protocol. In parentheses how many groups of messages PostgreSQL answered with ReadyForQuery, where some of them travelled together.',
    `PostgreSQL ${database.version}, pg ${versionOf('pg')}${options.plainReads ? '; reads and lists without a transaction, wherever a peer lets one choose' : ''}`,
    table(['', ...options.endpoints.map(({ title }) => title)], counted.map(({ peer, counts }) => [versionTitle(peer), ...counts.map(cell)]))
  )
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { attributeNames } from '../../src/figures/attributes.js'
import { figures } from '../../src/figures/figures.js'
import { labelName, metricName } from '../../src/prometheus/names.js'
import { alerts, dashboard, filled, observability, panelQueries } from '../load/observability/dashboard.js'

/** The names of Prometheus that the package gives: metrics, what a histogram makes of them, and labels. */
const names = new Set(figures.flatMap((figure) => {
  const name = metricName(figure)
  return figure.kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name]
}))
const labels = new Set<string>(attributeNames.map(labelName))

/** The names in a text that look like ours and are neither a metric nor a label. */
function findStrangers (text: string): string[] {
  return (text.match(/\b(?:db_client|db|data_access|error|server)_[a-z_]+\b/g) ?? []).filter((name) => !names.has(name) && !labels.has(name))
}

t.test('the dashboard and the alerts name metrics and labels that there are', async (t) => {
  t.strictSame(findStrangers('rate(db_client_operation_time_sum{db_query_summary="x", error_kind=""}[1m])'), ['db_client_operation_time_sum', 'error_kind'])
  t.strictSame(findStrangers(JSON.stringify(dashboard)), [])
  t.strictSame(findStrangers(alerts), [])
})

t.test('the dashboard has every figure that changes, and each panel says what it shows', async (t) => {
  const shown = panelQueries.map(({ expr }) => expr).join('\n')
  const limits = ['db.client.connection.idle.min', 'db.client.connection.idle.max']

  t.strictSame(figures.filter((figure) => !shown.includes(metricName(figure))).map(({ name }) => name), limits)
  t.strictSame(dashboard.panels.filter(({ targets, description }) => targets !== undefined && description === undefined), [])
  t.notMatch(filled(shown), /\$/, 'no variable is left')
})

t.test('there is an alert for waits, for a commit of unknown outcome and for a leak, each with words', async (t) => {
  const rules = alerts.split('- alert: ').slice(1)

  t.strictSame(rules.map((rule) => rule.split('\n')[0]), ['DatabasePoolWaits', 'DatabaseCommitUnknown', 'DatabaseConnectionLeak'])
  for (const rule of rules) t.match(rule, /severity: (warning|critical)[^]*summary: .+[^]*description: >-\n/)
})

t.test('the page lists each figure with its names and its unit, and each attribute, in order', async (t) => {
  const page = readFileSync(join(observability, 'README.md'), 'utf8')
  const [metrics = '', attributes = ''] = page.split('\n## Attributes\n')
  const kinds = { histogram: 'histogram', counter: 'counter', upDownCounter: 'count now' }

  t.strictSame(
    Array.from(metrics.matchAll(/^(\| `[a-z_.]+` \| `[a-z_]+` \| [^|]+ \|)/gm), ([, cells]) => cells),
    figures.map((figure) => `| \`${figure.name}\` | \`${metricName(figure)}\` | ${kinds[figure.kind]}, \`${figure.unit}\` |`)
  )
  t.strictSame(Array.from(attributes.matchAll(/^\| (`[a-z_.`, ]+`) \|/gm)).flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', ')), [...attributeNames])
})

import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import Fastify from 'fastify'
import fastifyMetrics from 'fastify-metrics'
import client from 'prom-client'
import t from 'tap'
import { figures } from '../../../src/figures/figures.js'
import { startMetrics } from '../../../src/opentelemetry/metrics.js'
import { metricName } from '../../../src/prometheus/names.js'
import { prometheus } from '../../../src/prometheus/index.js'
import { openPools } from '../../../src/channels/open-pools.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { canary, liveThrough } from '../figures/eventful.js'

/** The lines of a page of metrics, sorted, with sorted labels: the order of neither means anything. OpenMetrics' units are left out: prom-client knows none. */
function linesOf (page: string): string[] {
  return page.split('\n').filter((line) => line !== '' && !line.startsWith('# UNIT')).map((line) => {
    return line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(/,(?=\w+=")/).sort().join(',')}}`)
  }).sort()
}

t.test('prom-client gets the same lines as OpenTelemetry\'s exporter for Prometheus writes', async (t) => {
  const registry = new client.Registry()
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const provider = new MeterProvider({ readers: [exporter] })
  t.teardown(() => provider.shutdown())
  const { watched } = await liveThrough(t, () => [prometheus({ registry }), startMetrics(provider.getMeter('fastify-data-access'))])

  const { resourceMetrics } = await exporter.collect()
  const lines = linesOf(await registry.metrics())
  t.strictSame(lines, linesOf(new PrometheusSerializer(undefined, false, undefined, true, true).serialize(resourceMetrics)))
  t.ok(lines.includes('data_access_transactions_total{data_access_database="default",data_access_transaction_outcome="unknown"} 1'))
  t.ok(lines.includes('db_client_connection_timeouts_total{db_client_connection_pool_name="default"} 1'))
  t.ok(lines.some((line) => /^db_client_operation_duration_bucket\{.*db_query_summary="SELECT users",.*le="0\.001",.*\} \d+$/.test(line)))
  t.notMatch(lines.join('\n'), canary)
  for (const one of watched) one.disable()
})

t.test('a second registration on a registry is refused with the way out, and disable() is it', async (t) => {
  const registry = new client.Registry()
  const first = prometheus({ registry })

  t.throws(() => prometheus({ registry }), {
    code: 'DB_USAGE',
    message: 'The registry has a metric db_client_operation_duration already: call prometheus() once for each registry, or disable() the earlier one'
  })
  t.equal(registry.getMetricsAsArray().length, figures.length)
  first.disable()
  t.strictSame(registry.getMetricsAsArray(), [])
  prometheus({ registry }).disable()
})

t.test('a metric of the same name by another library is refused before anything is registered', async (t) => {
  const registry = new client.Registry()
  registry.registerMetric(new client.Gauge({ name: 'data_access_leaks_total', help: 'Not ours', registers: [] }))

  t.throws(() => prometheus({ registry }), { code: 'DB_USAGE', message: /data_access_leaks_total/ })
  t.equal(registry.getMetricsAsArray().length, 1)
})

t.test('two registries have the same figures, and one that was reset has its counts again', async (t) => {
  const registries = [new client.Registry(), new client.Registry()]
  const { watched } = await liveThrough(t, () => registries.map((registry) => prometheus({ registry })))

  const [one, other] = await Promise.all(registries.map((registry) => registry.metrics()))
  t.equal(one, other)
  t.equal(await registries[1]?.metrics(), other, 'to read changes nothing')
  registries[0]?.resetMetrics()
  t.match(await registries[0]?.getSingleMetricAsString('data_access_leaks_total'), /\} 1$/)
  for (const each of watched) each.disable()
})

t.test('the figures are on the page of fastify-metrics, beside its own', async (t) => {
  client.register.clear()
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(fastifyMetrics.default, { endpoint: '/metrics' })
  const { disable } = prometheus()
  const { database } = await createTestDatabase(t)
  await database.query('select 1')

  const { body } = await server.inject('/metrics')
  t.match(body, /^http_request_duration_seconds_|^# HELP http_request_duration_seconds /m)
  t.match(body, /^process_cpu_seconds_total /m)
  t.match(body, /^db_client_operation_duration_count\{.*db_query_summary="SELECT".*\} 1$/m)
  t.equal(body.match(/^db_client_connection_max\{/gm)?.length, new Set(Array.from(openPools, ({ pool }) => pool)).size)
  disable()
  t.notMatch((await server.inject('/metrics')).body, /db_client|data_access/)
  client.register.clear()
})

t.test('names and labels are what Prometheus allows', async (t) => {
  for (const figure of figures) {
    t.match(metricName(figure), /^(db_client|data_access)_[a-z_]+$/)
    t.equal(metricName(figure).endsWith('_total'), figure.kind === 'counter')
  }
})

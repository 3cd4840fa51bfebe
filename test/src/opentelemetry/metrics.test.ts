import { AggregationTemporality, DataPointType, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import t from 'tap'
import { figures } from '../../../src/figures/figures.js'
import { startMetrics } from '../../../src/opentelemetry/metrics.js'
import { canary, liveThrough } from '../figures/eventful.js'
import type { MetricData } from '@opentelemetry/sdk-metrics'

function metering () {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })] })
  const metrics = startMetrics(provider.getMeter('fastify-data-access'))
  return {
    metrics,
    provider,
    async read (): Promise<MetricData[]> {
      exporter.reset()
      await provider.forceFlush()
      return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    }
  }
}

t.test('each figure reaches the meter with its unit and its buckets, and nothing of a value', async (t) => {
  const { watched: { metrics, provider, read } } = await liveThrough(t, metering)
  t.teardown(() => provider.shutdown())
  const data = await read()

  t.strictSame(new Set(data.map(({ descriptor: { name } }) => name)), new Set(figures.map(({ name }) => name)))
  for (const { descriptor: { name, unit, description }, ...points } of data) {
    const figure = figures.find((figure) => figure.name === name)
    t.match({ name, unit, description }, { name: figure?.name, unit: figure?.unit, description: figure?.description })
    if (points.dataPointType === DataPointType.HISTOGRAM) {
      t.strictSame(points.dataPoints[0]?.value.buckets.boundaries, figure?.kind === 'histogram' ? figure.buckets : 'none', name)
    } else {
      t.match(points, { dataPointType: DataPointType.SUM, isMonotonic: figure?.kind === 'counter' }, name)
    }
  }
  t.notMatch(JSON.stringify(data), canary)
  metrics.disable()
})

t.test('the buckets are those of the conventions', async (t) => {
  const bucketsOf = (name: string) => figures.flatMap((figure) => figure.name === name && figure.kind === 'histogram' ? figure.buckets : [])

  for (const time of ['operation.duration', 'connection.create_time', 'connection.wait_time', 'connection.use_time']) {
    t.strictSame(bucketsOf(`db.client.${time}`), [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10], time)
  }
  t.strictSame(bucketsOf('db.client.response.returned_rows'), [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000])
})

t.test('a meter gets nothing after disable()', async (t) => {
  const { metrics, provider, read } = metering()
  t.teardown(() => provider.shutdown())
  metrics.disable()
  await liveThrough(t, () => {})

  t.strictSame((await read()).map(({ descriptor, dataPoints: { length } }) => [descriptor.name, length]).filter(([, length]) => length !== 0), [])
})

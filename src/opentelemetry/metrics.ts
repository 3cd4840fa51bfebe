import { histograms, observed } from '../figures/figures.js'
import { FiguresWatch } from '../figures/watch-figures.js'
import type { Meter, Observable, ObservableCallback } from '@opentelemetry/api'
import type { ObservedFigure } from '../figures/figures.js'

/** Gives the figures to a meter of OpenTelemetry until `disable()`. */
export function startMetrics (meter: Meter): { disable (): void } {
  const instruments = new Map(histograms.map((figure) => {
    const { name, unit, description, buckets } = figure
    return [figure, meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } })]
  }))
  const watch = new FiguresWatch((figure, value, attributes) => instruments.get(figure)?.record(value, attributes))
  const observers = observed.map((figure): [Observable, ObservableCallback] => {
    return [observableOf(figure, meter), (result) => {
      for (const { value, attributes } of watch.observe(figure)) result.observe(value, attributes)
    }]
  })
  for (const [observable, callback] of observers) observable.addCallback(callback)
  return {
    disable () {
      watch.end()
      for (const [observable, callback] of observers) observable.removeCallback(callback)
    }
  }
}

function observableOf ({ kind, name, unit, description }: ObservedFigure, meter: Meter): Observable {
  return kind === 'counter' ? meter.createObservableCounter(name, { unit, description }) : meter.createObservableUpDownCounter(name, { unit, description })
}

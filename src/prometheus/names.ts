import type { Figure } from '../figures/figures.js'

/** The name of a figure in Prometheus: that of OpenTelemetry's exporter, which ends counts that only grow with `_total`. */
export function metricName ({ name, kind }: Pick<Figure, 'name' | 'kind'>): string {
  return kind === 'counter' ? `${labelName(name)}_total` : labelName(name)
}

/** The name of an attribute as a label. */
export function labelName (attribute: string): string {
  return attribute.replaceAll('.', '_')
}

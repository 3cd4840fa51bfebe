import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../house/source-files.js'

/** A query of a panel of docs/observability/dashboard.json. */
export interface PanelQuery {
  readonly panel: string
  readonly expr: string
}

interface Panel {
  readonly title: string
  readonly description?: string
  readonly targets?: ReadonlyArray<{ readonly expr: string }>
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: ReadonlyArray<{ readonly name: string, readonly definition?: string }> }
}

/** The folder of the dashboard and of the alerts. */
export const observability = join(projectRoot, 'docs/observability')

/** The dashboard for Grafana. */
export const dashboard = JSON.parse(readFileSync(join(observability, 'dashboard.json'), 'utf8')) as Dashboard

/** The alerts, as text. */
export const alerts = readFileSync(join(observability, 'alerts.yml'), 'utf8')

/** The queries of all panels. */
export const panelQueries: readonly PanelQuery[] = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ panel: title, expr })))

/** A query with what Grafana puts in place of its variables. */
export function filled (expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '5m').replaceAll('$instance', '.*').replaceAll('$pool', '.*')
}

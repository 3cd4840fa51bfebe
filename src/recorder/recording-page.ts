import { createHash } from 'node:crypto'
import { clock, code, html, millis, table } from './page-parts.js'
import type { Activity, Blocking, Holder, Incident, Process, RecordedTransaction, Second, Shape } from '../activity/activity.js'
import type { Html } from './page-parts.js'

const style = `:root{color-scheme:light dark;--ink:light-dark(#1b1f24,#e6edf3);--dim:light-dark(#59636e,#9198a1);--line:light-dark(#d1d9e0,#3d444d);--paper:light-dark(#fff,#0d1117);--warn:light-dark(#b42318,#ff7b72)}
*{box-sizing:border-box}body{margin:0 auto;max-width:90rem;padding:1.5rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.75rem;margin:0;color:var(--warn)}h2{font-size:1.15rem;margin:2rem 0 .5rem}p,dl{max-width:70rem}.dim{color:var(--dim)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
th{color:var(--dim);font-weight:600;white-space:nowrap}code,pre{font:.875rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}pre{margin:0;white-space:pre-wrap}td code{display:block;min-width:16rem}`

/** Nothing but the style of the page itself: a file from a log is opened in a browser that has other pages open. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** The page over what led to an incident: one file, which needs nothing else. */
export function recordingPage (activity: Activity): string {
  const { database, at, incident, holders, blockings, transactions = [], shapes, seconds } = activity
  const title = incident === undefined ? database : `${incident.kind} on ${incident.route}`
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${policy}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${{ html: style }}</style></head>
<body><main><header><h1>${title}</h1><p class="dim">Database ${database}, ${new Date(at).toISOString()}</p>${incident === undefined ? null : incidentPart(incident)}</header>
${holderPart(holders)}${blockingPart(blockings)}${transactionPart(transactions)}${shapePart(shapes)}${secondPart(seconds)}</main></body></html>
`.html
}

function incidentPart ({ at, text, blocker, code: errorCode, sqlState, processId }: Incident): Html {
  const facts: Array<readonly [string, string | Html | null]> = [
    ['When', clock(at)],
    ['Statement', text === null ? null : code(text)],
    ['Waited for', blocker],
    ['Error', [errorCode, sqlState].filter((word) => word !== null).join(', ') || null],
    ['Process', processId === null ? null : String(processId)]
  ]
  return html`<dl>${facts.filter(([, fact]) => fact !== null).map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>`
}

function holderPart (holders: readonly Holder[]): Html {
  return table('Connections in use', {
    columns: ['Held for', 'Route', 'State', 'Process', 'Statement', 'Requested at'],
    rows: holders.map(({ heldMillis, route, state, processId, texts, stack }) => [millis(heldMillis), route, state, processId, code(texts.join('; ')), html`<pre>${stack}</pre>`]),
    none: 'No connection was in use.'
  })
}

function blockingPart (blockings: readonly Blocking[] | null): Html {
  return table('Who waited for whose lock', {
    columns: ['Waited', 'Route', 'Statement', 'For'],
    rows: blockings?.map(({ waiting, blockers }) => [millis(waiting.millis), nameOf(waiting), code(waiting.text), blockers.map((blocker) => html`<div>${nameOf(blocker)}, ${blocker.state} for ${millis(blocker.millis)} ${code(blocker.text)}</div>`)]) ?? [],
    none: blockings === null ? 'PostgreSQL did not answer.' : 'Nobody waited for a lock.'
  })
}

function nameOf ({ route, application, processId }: Process): string {
  return `${route ?? (application || 'another program')} (process ${processId})`
}

function transactionPart (transactions: readonly RecordedTransaction[]): Html {
  return table('Transactions', {
    columns: ['Began', 'Route', 'Outcome', 'Took', 'Waited', 'Process', 'Statements'],
    rows: transactions.map(({ at, route, attempt, outcome, code: errorCode, sqlState, millis: took, waitMillis, processId, statementCount, statements }) => [
      clock(at),
      attempt === 1 ? route : `${route} (attempt ${attempt})`,
      [outcome, errorCode, sqlState].filter((word) => word !== null).join(', '),
      millis(took),
      millis(waitMillis),
      processId,
      [
        ...(statementCount > statements.length ? [html`<div class="dim">The latest ${statements.length} of ${statementCount}:</div>`] : []),
        ...statements.map((statement) => html`<div>${clock(statement.at)} ${millis(statement.millis)}${statement.code === null ? null : ` ${statement.code}`} ${code(statement.text)}</div>`)
      ]
    ]),
    none: 'None was recorded.'
  })
}

function shapePart (shapes: readonly Shape[]): Html {
  return table('Statements that took the most time', {
    columns: ['In all', 'Times', 'p50', 'p99', 'Longest', 'Rows', 'Failed', 'Statement', 'Routes'],
    rows: shapes.map((shape) => [millis(shape.totalMillis), shape.count, millis(shape.p50Millis), millis(shape.p99Millis), millis(shape.longestMillis), shape.rows, shape.failures, code(shape.text), shape.routes.join(', ')]),
    none: 'None ran in the last minutes.'
  })
}

function secondPart (seconds: readonly Second[]): Html {
  return table('The last minute', {
    columns: ['Until', 'Running', 'Idle in transaction', 'Idle', 'Waiting', 'Waits', 'p50', 'p99', 'Commits', 'Rollbacks', 'Unknown', 'Statements', 'Failed'],
    rows: seconds.map((second) => [
      clock(second.at), second.running, second.idleInTransaction, second.idle, second.waiting, second.waits, millis(second.waitP50), millis(second.waitP99),
      second.commits, second.rollbacks, second.unknown, second.statements, second.failures
    ]),
    none: ''
  })
}

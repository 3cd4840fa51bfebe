/** The part of the page's script that shows what only a recording has: the incident, and the transactions before it. */
export const recording = String.raw`
const outcomes = { committed: 'committed', rolledBack: 'rolled back', unknown: 'unknown', none: 'never began', open: 'open' }

function incidentOf ({ incident }) {
  const facts = [['When', new Date(incident.at).toLocaleString()], ['Route', incident.route], ['Statement', incident.text && el('code', {}, incident.text)], ['Waited for', incident.blocker],
    ['Error', [incident.code, incident.sqlState && 'SQLSTATE ' + incident.sqlState].filter(Boolean).join(', ')], ['Process', incident.processId]]
  const node = section('Incident: ' + incident.kind, undefined, el('dl', {}, facts.filter(([, value]) => value).map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])))
  node.setAttribute('class', 'incident')
  return node
}

function transactionsOf ({ transactions, at }) {
  const rows = [...transactions].reverse().map((transaction, place) => ({ key: 'transaction-' + place, cells: [
    [el('b', {}, '−' + time(Math.max(at - transaction.at, 0))), el('div', { class: 'quiet' }, clock(transaction.at))],
    [transaction.route, transaction.attempt > 1 && el('div', { class: 'quiet' }, 'attempt ' + transaction.attempt), transaction.processId && el('div', { class: 'quiet' }, 'process ' + transaction.processId)],
    [el('span', { class: transaction.outcome === 'unknown' || transaction.code ? 'tag alarm' : transaction.outcome === 'open' ? 'tag warn' : 'tag' }, outcomes[transaction.outcome]),
      (transaction.code || transaction.sqlState) && el('div', { class: 'quiet' }, [transaction.code, transaction.sqlState].filter(Boolean).join(', '))],
    time(transaction.waitMillis), time(transaction.millis),
    el('details', {}, el('summary', {}, transaction.statementCount + (transaction.statementCount === 1 ? ' statement' : ' statements'), el('span', { class: 'hidden' }, ' of ' + transaction.route)),
      transaction.statements.map((statement) => el('div', {}, el('pre', {}, statement.text), el('span', { class: 'quiet' }, [statement.millis === null ? 'no response yet' : time(statement.millis),
        statement.rows !== null && statement.rows + ' rows', statement.code, statement.sqlState].filter(Boolean).join(', ')))))
  ] }))
  return section('Transactions', 'The latest first', rows.length === 0 ? el('p', { class: 'none' }, 'None was recorded.')
    : table('Recorded transactions, the latest first', [['Began', ''], ['Route', ''], ['Outcome', ''], ['Wait', 'number'], ['Took', 'number'], ['Statements', 'wide']], rows))
}
`

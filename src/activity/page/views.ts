/** The part of the page's script that shows the state of a database: its figures, its connections, its locks and its statements. */
export const views = String.raw`
function sum (seconds, property) { return seconds.reduce((all, second) => all + second[property], 0) }
function tile (name, value, unit, bad) { return el('div', { class: bad ? 'tile bad' : 'tile' }, el('dt', {}, name), el('dd', {}, value, unit && el('small', {}, ' ' + unit))) }

function tiles ({ pools, seconds }) {
  const recent = seconds.slice(-10), unknown = sum(seconds, 'unknown'), waiting = sum(pools, 'waiting'), rollbacks = sum(seconds, 'rollbacks')
  const longest = Math.max(0, ...seconds.map(({ waitP99 }) => waitP99 || 0))
  return el('section', { class: 'tiles', 'aria-label': 'Now', 'data-key': 'now' }, el('dl', {},
    tile('In use', number(sum(pools, 'inUse')), 'of ' + number(sum(pools, 'max'))),
    tile('Waiting', number(waiting), '', waiting > 0),
    tile('Longest p99 wait', time(longest).replace(/ [a-z].*/, ''), time(longest).replace(/^[^a-z]+/, ''), longest >= 1000),
    tile('Commits', number(sum(recent, 'commits') / Math.max(recent.length, 1)), 'a second'),
    tile('Rollbacks', number(rollbacks), 'in a minute'),
    tile('Unknown commits', number(unknown), 'in a minute', unknown > 0)))
}

function minute ({ pools, seconds }) {
  const last = seconds.at(-1) || { running: 0, idleInTransaction: 0, idle: 0, waiting: 0, waitP50: null, waitP99: null }
  const max = sum(pools, 'max'), most = Math.max(0, ...seconds.map(({ waiting }) => waiting))
  const states = last.running + ' running, ' + last.idleInTransaction + ' idle in a transaction, ' + last.idle + ' idle, ' + last.waiting + ' requests waiting'
  const waited = seconds.filter(({ waitP99 }) => waitP99 !== null).at(-1) || last
  const commits = sum(seconds, 'commits'), rollbacks = sum(seconds, 'rollbacks'), unknown = sum(seconds, 'unknown')
  return [
    third(section('Connections', 'By state, with the queue on top; the dashed line is the most that the pool opens',
      bars(seconds, [['running', 'running'], ['held', 'idleInTransaction'], ['idle', 'idle'], ['waiting', 'waiting']], 'Connections over the last minute. Now: ' + states + '. The longest queue was ' + most + '.', max),
      key([['running', 'running', last.running], ['held', 'idle in transaction', last.idleInTransaction], ['idle', 'idle', last.idle], ['waiting', 'waiting', last.waiting]]))),
    third(section('Waits', 'How long requests waited for a connection',
      lines(seconds, [['p50', 'waitP50'], ['p99', 'waitP99']], 'Waits for a connection over the last minute. Latest: half took at most ' + time(waited.waitP50) + ', 99 % at most ' + time(waited.waitP99) + '.'),
      key([['running', 'p50', time(waited.waitP50)], ['waiting', 'p99', time(waited.waitP99)]]))),
    third(section('Transactions', 'That ended in each second',
      bars(seconds, [['good', 'commits'], ['held', 'rollbacks'], ['bad', 'unknown']], 'Transactions over the last minute: ' + commits + ' committed, ' + rollbacks + ' rolled back, ' + unknown + ' unknown.'),
      key([['good', 'committed', number(commits)], ['held', 'rolled back', number(rollbacks)], ['bad', 'unknown', number(unknown)]])))
  ]
}

function party (process, kind) {
  const who = process.route || process.application || 'another program'
  return el('div', { class: 'party ' + kind }, el('p', {}, el('b', {}, who), ' ', el('span', { class: 'quiet' }, process.processId ? 'process ' + process.processId : '')),
    process.text && sql(process.text), el('p', {}, kind === 'blocker' ? [process.state || 'ended', process.millis ? ', its transaction is ' + time(process.millis) + ' old' : ''].join('') : 'has waited for ' + time(process.millis)))
}

function locks ({ blockings, incident }) {
  const content = blockings === null ? el('p', { class: 'none' }, incident ? 'PostgreSQL was not asked, or did not answer.' : 'PostgreSQL has not answered yet.')
    : blockings.length === 0 ? el('p', { class: 'none' }, 'Nobody waits for a lock.')
      : blockings.map(({ waiting, blockers }) => el('div', { class: 'block', 'data-key': 'waits-' + waiting.processId }, party(waiting, 'waits'), el('div', { class: 'arrow' }, 'waits for →'), el('div', {}, blockers.map((blocker) => party(blocker, 'blocker')))))
  return section('Who blocks whom', undefined, content)
}

function holders ({ holders: all, incident }) {
  const rows = all.map((holder) => {
    const id = holder.pool + '-' + holder.processId + '-' + holder.route
    const stack = holder.stack || stacks.get(id)
    return { key: id, cells: [
      el('b', {}, time(holder.heldMillis)),
      [holder.route, el('div', { class: 'quiet' }, [holder.pool, holder.processId && 'process ' + holder.processId].filter(Boolean).join(', '))],
      el('span', { class: holder.state === 'idle in transaction' ? 'tag warn' : 'tag' }, holder.state),
      [sql(holder.texts.join('; ')), (stack || !incident) && el('details', { 'data-stack': id }, el('summary', {}, 'Stack', el('span', { class: 'hidden' }, ' of ' + holder.route)), el('pre', {}, stack || 'Asking for it …'))]
    ] }
  })
  return section('Who holds a connection', 'The longest first', rows.length === 0 ? el('p', { class: 'none' }, 'All connections are free.')
    : table('Connections in use, the one held longest first', [['Held for', ''], ['Route', ''], ['State', ''], ['Statement', 'wide']], rows))
}

function shapes ({ shapes: all }) {
  const most = Math.max(1, ...all.map(({ totalMillis }) => totalMillis))
  if (all.length === 0) return [section('Slowest statements', undefined, el('p', { class: 'none' }, 'No statement in the last minute.'))]
  return [section('Slowest statements', 'By the time that they took together, over the last one to two minutes',
    table('Statements by the time that they took together', [['Statement', 'wide'], ['Total', 'number'], ['Count', 'number'], ['p50', 'number'], ['p99', 'number'], ['Longest', 'number'], ['Rows', 'number'], ['Failures', 'number']],
      all.map((shape) => ({ key: shape.id, cells: [
        [el('a', { href: '#text-' + shape.id, class: 'sql' }, el('code', {}, shape.text)), el('div', { class: 'bar', 'aria-hidden': 'true' }, el('svg', { viewBox: '0 0 100 1', preserveAspectRatio: 'none' }, el('rect', { class: 'running', width: (shape.totalMillis / most * 100).toFixed(2), height: 1 })))],
        el('b', {}, time(shape.totalMillis)), number(shape.count), time(shape.p50Millis), time(shape.p99Millis), time(shape.longestMillis), number(shape.rows), number(shape.failures)
      ] })))),
  section('Texts', 'Of the statements above: values are never part of them', all.map(({ id, text, routes }) =>
    el('article', { id: 'text-' + id, 'data-key': id }, el('h3', {}, routes.join(', ') || 'no route'), el('pre', {}, text))))]
}
`

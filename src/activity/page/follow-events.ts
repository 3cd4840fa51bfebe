/** The part of the page's script that shows what it was given, and, on a live page, what the server sends once a second. */
export const followEvents = String.raw`
const stacks = new Map()
const main = document.querySelector('main'), dot = document.querySelector('.dot'), status = document.querySelector('[role=status]'), updated = document.querySelector('time')
let activity = JSON.parse(document.querySelector('#activity').textContent)
let paused = false

function render () {
  const page = el('main', { id: 'content', tabindex: '-1' }, activity.incident && incidentOf(activity), tiles(activity), minute(activity), locks(activity), holders(activity),
    activity.transactions && transactionsOf(activity), shapes(activity))
  show(main, page)
  updated.textContent = activity.incident ? new Date(activity.at).toLocaleString() : clock(activity.at)
  updated.dateTime = new Date(activity.at).toISOString()
}

function say (kind, text) {
  dot.setAttribute('class', 'dot ' + kind)
  if (status.textContent !== text) status.textContent = text
}

function follow () {
  const base = location.pathname.replace(/\/$/, '')
  const button = document.querySelector('button')
  const events = new EventSource(base + '/events')
  events.addEventListener('open', () => say(paused ? '' : 'live', paused ? 'Paused' : 'Live'))
  events.addEventListener('error', () => say('lost', 'The server does not answer'))
  events.addEventListener('message', (event) => {
    if (paused) return
    activity = JSON.parse(event.data)
    render()
  })
  button.addEventListener('click', () => {
    paused = !paused
    button.textContent = paused ? 'Go on' : 'Pause'
    say(paused ? '' : 'live', paused ? 'Paused' : 'Live')
  })
  main.addEventListener('toggle', async ({ target }) => {
    if (!target.open || !target.dataset.stack) return
    const response = await fetch(base + '/stacks').catch(() => undefined)
    const found = response && response.ok ? await response.json() : []
    for (const { pool, processId, route, stack } of found) stacks.set(pool + '-' + processId + '-' + route, stack || 'It is not known.')
    if (!stacks.has(target.dataset.stack)) stacks.set(target.dataset.stack, 'The connection was given back meanwhile.')
    render()
  }, true)
}

render()
if (document.documentElement.dataset.live) follow()
`

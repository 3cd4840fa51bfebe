/**
 * The part of the page's script that makes elements. Texts become text nodes only, so that nothing of a statement is ever read as HTML. What is shown already is
 * changed in place: the focus, a selection and an open detail stay where they are from one second to the next.
 */
export const elements = String.raw`
const svgNames = new Set(['svg', 'rect', 'line', 'polyline', 'circle'])

function el (name, attributes, ...children) {
  const node = svgNames.has(name) ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name)
  for (const [key, value] of Object.entries(attributes || {})) if (value !== undefined) node.setAttribute(key, String(value))
  for (const child of children.flat(3)) if (child !== undefined && child !== null && child !== false && child !== '') node.append(child.nodeType ? child : String(child))
  return node
}

function show (shown, wanted) {
  for (const { name } of [...shown.attributes]) if (!wanted.hasAttribute(name) && name !== 'open') shown.removeAttribute(name)
  for (const { name, value } of [...wanted.attributes]) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value)
  const keyOf = (node) => node.dataset && node.dataset.key
  const stays = new Set([...wanted.childNodes].map(keyOf))
  // What is gone leaves first: an element that is moved past it would lose the focus.
  for (const node of [...shown.childNodes]) if (keyOf(node) && !stays.has(keyOf(node))) node.remove()
  const keyed = new Map([...shown.childNodes].filter(keyOf).map((node) => [keyOf(node), node]))
  let next = shown.firstChild
  for (const node of [...wanted.childNodes]) {
    const key = keyOf(node)
    const old = key ? keyed.get(key) : next && !keyOf(next) && next.nodeName === node.nodeName ? next : undefined
    if (!old) { shown.insertBefore(node, next); continue }
    if (old === next) next = next.nextSibling
    else shown.insertBefore(old, next)
    if (old.nodeType === 3) { if (old.data !== node.data) old.data = node.data } else if (!old.dataset.kept) show(old, node)
  }
  while (next) { const gone = next; next = next.nextSibling; gone.remove() }
}

function number (value) { return value >= 10000 ? (value / 1000).toFixed(0) + ' k' : value >= 100 || Number.isInteger(value) ? Math.round(value).toString() : value.toFixed(1) }

function time (millis) {
  if (millis === null || millis === undefined) return '–'
  if (millis < 1) return millis === 0 ? '0 ms' : millis < 0.1 ? '< 0.1 ms' : millis.toFixed(1) + ' ms'
  if (millis < 1000) return millis.toFixed(millis < 10 ? 1 : 0) + ' ms'
  if (millis < 60000) return (millis / 1000).toFixed(1) + ' s'
  return Math.floor(millis / 60000) + ' min ' + Math.floor(millis / 1000) % 60 + ' s'
}

function clock (at) { return new Date(at).toLocaleTimeString([], { hour12: false }) }
function sql (text) { return text === '' ? el('span', { class: 'quiet' }, 'no statement now') : el('code', { class: 'sql' }, text) }
function section (title, note, ...children) {
  const id = 'about-' + title.toLowerCase().replace(/\W+/g, '-')
  return el('section', { 'aria-labelledby': id, 'data-key': id }, el('h2', { id }, title), note && el('p', { class: 'note' }, note), children)
}
function third (node) { node.setAttribute('class', 'third'); return node }

function table (caption, columns, rows) {
  return el('table', { role: 'table' }, el('caption', { class: 'hidden' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map(([name, kind]) => el('th', { role: 'columnheader', scope: 'col', class: kind }, name)))),
    el('tbody', { role: 'rowgroup' }, rows.map(({ key, cells }) => el('tr', { role: 'row', 'data-key': key }, cells.map((cell, at) =>
      el('td', { role: 'cell', class: columns[at][1], 'data-label': columns[at][1] === 'wide' ? undefined : columns[at][0] }, cell))))))
}
`

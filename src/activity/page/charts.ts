/** The part of the page's script that draws the last minute. Each chart says in words what it shows. */
export const charts = String.raw`
const width = 600, height = 150

function niceTop (value) {
  if (value <= 1) return 1
  const unit = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].find((step) => step * unit >= value) * unit
}

function frame (label, marks, scale, seconds) {
  return el('div', { class: 'chart' }, el('div', { class: 'scale', 'aria-hidden': 'true' }, scale.map((text) => el('span', {}, text))),
    el('svg', { viewBox: '0 0 ' + width + ' ' + height, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      [0, height / 2, height].map((y) => el('line', { class: 'rule', x1: 0, x2: width, y1: y, y2: y })), marks),
    el('div', { class: 'axis', 'aria-hidden': 'true' }, el('span', {}, seconds + ' s ago'), el('span', {}, 'now')))
}

function key (entries) {
  return el('ul', { class: 'key' }, entries.map(([kind, name, value]) => el('li', {}, el('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, el('rect', { class: kind, width: 12, height: 12, rx: 3 })), name, ' ', el('b', {}, value))))
}

function bars (seconds, kinds, label, limit) {
  const top = niceTop(Math.max(limit || 0, ...seconds.map((second) => kinds.reduce((sum, [, property]) => sum + second[property], 0))))
  const step = width / 60
  const marks = seconds.flatMap((second, at) => {
    let y = height
    return kinds.flatMap(([kind, property]) => {
      const tall = second[property] / top * height
      y -= tall
      return tall === 0 ? [] : [el('rect', { class: kind, x: width - (seconds.length - at) * step + 1, y, width: step - 2, height: tall })]
    })
  })
  if (limit) marks.push(el('line', { class: 'limit', x1: 0, x2: width, y1: height - limit / top * height, y2: height - limit / top * height }))
  return frame(label, marks, [number(top), number(top / 2), '0'], 60)
}

function lines (seconds, kinds, label) {
  const top = niceTop(Math.max(0, ...seconds.map((second) => Math.max(...kinds.map(([, property]) => second[property] || 0)))))
  const step = width / 60
  const marks = kinds.map(([kind, property]) => el('polyline', { class: 'stroke ' + kind, points: seconds.flatMap((second, at) =>
    second[property] === null ? [] : [(width - (seconds.length - at - 0.5) * step).toFixed(1) + ',' + (height - second[property] / top * height).toFixed(1)]).join(' ') }))
  return frame(label, marks, [time(top), time(top / 2), '0 ms'], 60)
}
`

// Medium colours without a background, readable on white and on black.
const colours = { ours: '#2f81f7', baseline: '#8b949e', other: '#b08800', text: '#6e7781' }
const panel = { width: 490, labels: 240, bar: 15, gap: 4, title: 30, space: 26 }

/**
 * Draws the ratios to hand-written pg with BEGIN … COMMIT as bars: one panel for each endpoint, two in a row.
 *
 * @returns {string} an SVG document
 */
export function chart (results) {
  const height = panel.title + results[0].rows.length * (panel.bar + panel.gap) + panel.space
  const panels = results.map((result, index) => {
    const x = index % 2 * (panel.width + panel.space)
    const y = Math.floor(index / 2) * height
    return `<g transform="translate(${x} ${y})">\n${panelOf(result)}\n</g>`
  })
  const size = [2 * panel.width + panel.space, Math.ceil(results.length / 2) * height]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" width="${size[0]}" height="${size[1]}" role="img" font-family="system-ui, sans-serif" font-size="11">
<title>Requests per second as ratios to hand-written pg with BEGIN and COMMIT</title>
<style>text { fill: ${colours.text} } .title { font-size: 13px; font-weight: 600 } .label { text-anchor: end }</style>
${panels.join('\n')}
</svg>
`
}

function panelOf ({ endpoint, rows }) {
  const medians = rows.map(({ toTransaction }) => toTransaction?.median ?? 0)
  const scale = (panel.width - panel.labels - 40) / Math.max(1, ...medians)
  const bottom = panel.title + rows.length * (panel.bar + panel.gap)
  const one = panel.labels + scale
  return [
    `<text class="title" x="${panel.labels}" y="16">${escaped(endpoint.title)}</text>`,
    ...rows.map(({ peer }, index) => bar({ peer, ratio: medians[index], y: panel.title + index * (panel.bar + panel.gap), scale })),
    `<line x1="${one.toFixed(1)}" x2="${one.toFixed(1)}" y1="${panel.title - 4}" y2="${bottom}" stroke="${colours.text}" stroke-dasharray="2 3"/>`
  ].join('\n')
}

function bar ({ peer, ratio, y, scale }) {
  const middle = y + panel.bar - 4
  return `<text class="label" x="${panel.labels - 6}" y="${middle}">${escaped(peer.title)}</text>` +
    `<rect x="${panel.labels}" y="${y}" width="${(ratio * scale).toFixed(1)}" height="${panel.bar}" fill="${colourOf(peer)}"/>` +
    `<text x="${(panel.labels + ratio * scale + 4).toFixed(1)}" y="${middle}">${ratio.toFixed(2)}</text>`
}

function colourOf ({ name }) {
  if (name.startsWith('ours')) return colours.ours
  return name.startsWith('pg') ? colours.baseline : colours.other
}

function escaped (text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

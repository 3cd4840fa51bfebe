import { createHash } from 'node:crypto'
import { charts } from './charts.js'
import { elements } from './elements.js'
import { followEvents } from './follow-events.js'
import { recording } from './recording.js'
import { style } from './style.js'
import { views } from './views.js'
import type { Activity } from '../activity.js'

const script = `'use strict';{${elements}${charts}${views}${recording}${followEvents}}`

/** The page may run its own script and style, and nothing else; `connect` lets it ask the server that it came from. */
const policy = ['default-src \'none\'', `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`, 'img-src data:', 'base-uri \'none\'', 'form-action \'none\''].join('; ')

/** The `Content-Security-Policy` header of the live page. It refuses frames, which a page itself cannot. */
export const livePagePolicy = `${policy}; connect-src 'self'; frame-ancestors 'none'`

/** The live page of a database: one HTML text that follows the events of the server. Send it with {@link livePagePolicy}. */
export function livePage (activity: Activity): string {
  return page(activity, {
    attributes: ' data-live="yes"',
    head: '',
    kind: 'Live',
    state: '<span class="dot" aria-hidden="true"></span><p role="status">Connecting</p><p><time></time></p><button type="button">Pause</button>'
  })
}

/** The page of a recording: one HTML text that opens from a file, without a server or a network. */
export function recordingPage (activity: Activity): string {
  return page(activity, {
    attributes: '',
    head: `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    kind: 'Flight recorder',
    state: '<span class="dot" aria-hidden="true"></span><p role="status">Recorded</p><p><time></time></p>'
  })
}

interface Parts {
  readonly attributes: string
  readonly head: string
  readonly kind: string
  readonly state: string
}

function page (activity: Activity, { attributes, head, kind, state }: Parts): string {
  const name = escaped(activity.database)
  return `<!doctype html>
<html lang="en"${attributes}>
<head>
<meta charset="utf-8">
${head}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${name} · ${kind}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><h1><small>${kind}</small>${name}</h1><div class="state">${state}</div></header>
<main id="content" tabindex="-1"><noscript><section>This page needs JavaScript. Its figures are below, as JSON, in its source.</section></noscript></main>
<script type="application/json" id="activity">${scriptJson(activity)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** JSON that cannot end the element around it. */
function scriptJson (activity: Activity): string {
  return JSON.stringify(activity).replaceAll('<', '\\u003c')
}

function escaped (text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function hashOf (text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

import { createHash } from 'node:crypto'
import t from 'tap'
import { livePage, livePagePolicy, recordingPage } from '../../../../src/activity/page/activity-page.js'
import { sampleActivity, sampleRecording } from '../../../load/live/sample-activity.js'

function hashOf (text = ''): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** The texts of the elements of a name that have no attributes. */
function textsOf (name: string, html: string): string[] {
  return Array.from(html.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs')), ([, text = '']) => text)
}

t.test('a page runs one script and one style, which its policy names by their hashes, and nothing else', async (t) => {
  for (const html of [livePage(sampleActivity), recordingPage(sampleRecording)]) {
    const [script, ...moreScripts] = textsOf('script', html)
    const [style, ...moreStyles] = textsOf('style', html)
    t.strictSame([moreScripts, moreStyles], [[], []])
    t.match(livePagePolicy, `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`)
    t.notMatch(html.replace(/<script.*?<\/script>/gs, ''), / style=| on\w+=|https?:/)
  }
})

t.test('a live page may ask its server, and is shown in no frame; a recording carries its policy and may ask nobody', async (t) => {
  t.match(livePagePolicy, "connect-src 'self'; frame-ancestors 'none'")
  t.notMatch(livePage(sampleActivity), /http-equiv/)
  t.match(recordingPage(sampleRecording), /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; /)
  t.notMatch(recordingPage(sampleRecording), /connect-src/)
})

t.test('a text that is HTML does not end the element that holds the figures, which JSON gives back as they were', async (t) => {
  const html = recordingPage(sampleRecording)
  const [, json = ''] = /<script type="application\/json" id="activity">(.*?)<\/script>/s.exec(html) ?? []

  t.notMatch(json, '<')
  t.strictSame(JSON.parse(json), JSON.parse(JSON.stringify(sampleRecording)))
})

t.test('the name of a database is a text in its title and its heading', async (t) => {
  t.match(livePage({ ...sampleActivity, database: 'a"<b>&' }), '<title>a&#34;&#60;b&#62;&#38; · Live</title>')
})

t.test('the script has no way to make HTML of a text', async (t) => {
  const [script] = textsOf('script', livePage(sampleActivity))
  t.notMatch(script, /innerHTML|outerHTML|insertAdjacent|document\.write|eval|new Function/)
})

/**
 * `npm run test:browser -- [--screenshots folder]`: the live page and a recording in Debian's Chromium, light and dark, on a phone and on a
 * desk. Nothing is refused by the page's own policy, no text becomes HTML, axe-core finds nothing serious, and what the reader has opened and
 * focused stays so from one second to the next.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { livePage, livePagePolicy, recordingPage } from '../../../src/activity/page/activity-page.js'
import { sampleActivity, sampleRecording } from './sample-activity.js'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
if (executablePath === undefined) {
  console.log('skipped: there is no chromium in /usr/bin')
  process.exit(0)
}
const { screenshots } = parseArgs({ options: { screenshots: { type: 'string' } } }).values
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A server of the page, whose events come four times a second. */
const server = createServer((request, response) => {
  if (request.url === '/live') {
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': livePagePolicy }).end(livePage(sampleActivity))
  } else if (request.url === '/live/stacks') {
    response.end(JSON.stringify(sampleRecording.holders))
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let turn = 0
    const timer = setInterval(() => {
      const holders = sampleActivity.holders.map((holder) => ({ ...holder, heldMillis: holder.heldMillis + ++turn * 250 }))
      const others = turn % 2 === 0 ? [] : [{ ...holders[2], processId: 1 }]
      response.write(`data: ${JSON.stringify({ ...sampleActivity, at: sampleActivity.at + turn * 250, holders: [...others, ...holders] })}\n\n`)
    }, 250)
    response.once('close', () => clearInterval(timer))
  }
})
await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
const folder = await mkdtemp(join(tmpdir(), 'live-page-'))
await writeFile(join(folder, 'recording.html'), recordingPage(sampleRecording))
const pages = { live: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`, recording: `file://${join(folder, 'recording.html')}` }

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [size, viewport] of Object.entries({ phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } })) {
      for (const [name, url] of Object.entries(pages)) {
        const context = await browser.newContext({ colorScheme, viewport, bypassCSP: false })
        const page = await context.newPage()
        const complaints: string[] = []
        page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
        page.on('pageerror', (error) => { complaints.push(String(error)) })
        await page.goto(url)
        if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}-${size}-${colorScheme}.png`), fullPage: true })
        await check(page, name)
        assert.deepEqual(complaints, [], `${name}, ${size}, ${colorScheme}: complaints of the browser`)
        await page.evaluate(axe)
        const serious = await page.evaluate('axe.run().then(({ violations }) => violations.filter(({ impact }) => [\'serious\', \'critical\'].includes(impact)).map(({ id, nodes }) => id + \': \' + nodes[0].html + nodes[0].failureSummary))')
        assert.deepEqual(serious, [], `${name}, ${size}, ${colorScheme}: findings of axe-core`)
        console.log(`${name}, ${size}, ${colorScheme}: in order`)
        await context.close()
      }
    }
  }
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
}

async function check (page: Page, name: string): Promise<void> {
  assert.equal(await page.locator('img, main script').count(), 0, 'texts stay texts')
  assert.match(await page.locator('article pre').nth(1).innerText(), /<\/script><script>/)
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the screen')
  const opened = page.locator('details').filter({ hasText: name === 'live' ? 'of POST /reports' : '' }).first()
  await opened.locator('summary').focus()
  await page.keyboard.press('Enter')
  if (name === 'recording') return
  await page.getByText('routes/transfers.ts:41').first().waitFor()
  const shown = await page.locator('time').innerText()
  await page.locator('time').filter({ hasNotText: shown }).waitFor()
  assert.ok(await page.evaluate('document.activeElement.localName === "summary" && document.activeElement.parentElement.open'), 'the open detail keeps the focus')
  assert.equal(await page.getByRole('status').innerText(), 'Live')
  await page.getByRole('button', { name: 'Pause' }).click()
  assert.equal(await page.getByRole('status').innerText(), 'Paused')
}

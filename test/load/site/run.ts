/**
 * `npm run test:docs -- [--screenshots folder] [--pages session,errors]`: builds the documentation below a path of its own, and opens it in
 * Debian's Chromium, light and dark, on a phone and on a desk. axe-core finds nothing serious, no page is wider than the screen, and the
 * search finds a page without a network.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { root } from '../../../site/pages.js'
import { made } from '../../../site/stage.js'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'

const base = '/some/where/'
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
if (executablePath === undefined) {
  console.log('skipped: there is no chromium in /usr/bin')
  process.exit(0)
}
const { screenshots, pages: chosen, built } = parseArgs({
  options: { screenshots: { type: 'string' }, pages: { type: 'string' }, built: { type: 'boolean' } }
}).values
if (built !== true) execFileSync(process.execPath, ['--import', 'tsx', 'site/run.ts', 'build'], { cwd: root, env: { ...process.env, DOCS_BASE: base }, stdio: 'inherit' })

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain'
}
const missing: string[] = []
const server = createServer((request, response) => {
  const { pathname } = new URL(String(request.url), 'http://localhost')
  const file = join(made, 'dist', pathname.slice(base.length).replace(/(^|\/)$/, '$1index.html'))
  readFile(file).then((content) => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(content), () => {
    missing.push(pathname)
    response.writeHead(404).end()
  })
})
await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const names = chosen?.split(',') ?? ['', 'session', 'reliability', 'coming-from-prisma', 'reference/index', 'reference/plugin', 'reference/repositories', 'reference/command']

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
let findings = 0
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [size, viewport] of Object.entries({ phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } })) {
      const context = await browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' })
      for (const name of names) {
        const page = await context.newPage()
        const complaints: string[] = []
        page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
        page.on('pageerror', (error) => { complaints.push(String(error)) })
        page.on('request', (request) => { if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) complaints.push(`asks ${request.url()}`) })
        await page.goto(`${origin}${base}${name === '' ? '' : `${name}.html`}`, { waitUntil: 'networkidle' })
        const title = `${name === '' ? 'home' : name.replaceAll('/', '-')}-${size}-${colorScheme}`
        if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${title}.png`), fullPage: name === '' })
        complaints.push(...await findingsOf(page))
        for (const complaint of complaints) console.error(`${title}: ${complaint}`)
        findings += complaints.length
        if (complaints.length === 0) console.log(`${title}: in order`)
        await page.close()
      }
      if (size === 'desk' && colorScheme === 'light') await searchFor(await context.newPage())
      await context.close()
    }
  }
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
}
assert.deepEqual(missing, [], 'every file that a page asks for is there')
assert.equal(findings, 0, 'no page has a finding')

/** Serious findings of axe-core, and whether the page is wider than its screen. */
async function findingsOf (page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const serious: string[] = await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => id + ': ' + node.html.slice(0, 200) + ' ' + node.failureSummary)))`)
  const isWide: boolean = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
  return [...serious, ...isWide ? ['is wider than its screen'] : []]
}

/** The search is part of the site: it finds a heading, and leads there. */
async function searchFor (page: Page): Promise<void> {
  await page.goto(`${origin}${base}session.html`, { waitUntil: 'networkidle' })
  await page.keyboard.press('Control+k')
  await page.locator('.VPLocalSearchBox input').fill('lost commits')
  await page.locator('.VPLocalSearchBox .result').first().waitFor()
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, 'search.png') })
  await page.keyboard.press('Enter')
  await page.waitForURL(/lost-commits/)
  console.log('the search leads to a heading')
}

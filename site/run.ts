/** `npm run docs`, `docs:dev` and `docs:preview`: builds the site of the documentation, or serves it. */
import { watch } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, createServer, serve } from 'vitepress'
import { findDeadLinks } from './dead-links.js'
import { root } from './pages.js'
import { base, made, stagePages } from './stage.js'

const site = join(root, 'site')
const [command = 'build'] = process.argv.slice(2)

if (command === 'preview') {
  await serve({ root: site, base })
} else if (command === 'dev') {
  await stagePages()
  const server = await createServer(site)
  await server.listen()
  server.printUrls()
  for (const folder of ['docs', 'site']) {
    watch(join(root, folder), { recursive: true }, (_event, name) => {
      if (/\.(md|css|svg)$/.test(String(name))) stagePages().catch((error: unknown) => console.error(error))
    })
  }
} else {
  await stagePages()
  await build(site)
  const dist = join(made, 'dist')
  const paths = (await readdir(dist, { recursive: true, encoding: 'utf8' })).map((path) => path.replaceAll('\\', '/'))
  const files = await Promise.all(paths.map(async (path) => path.endsWith('.html') ? { path, html: await readFile(join(dist, path), 'utf8') } : { path }))
  const dead = findDeadLinks(files, base)
  for (const link of dead) console.error(`leads nowhere: ${link}`)
  console.log(`${files.filter(({ html }) => html !== undefined).length} pages, ${dead.length} dead links`)
  if (dead.length > 0) process.exitCode = 1
}

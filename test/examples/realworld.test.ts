import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { processesOf, startExample } from '../helpers/example.js'
import { walk } from './conduit-walk.js'

// Hashing passwords is slow on purpose: about a hundred take minutes while other tests use the cores as well.
const timeout = 400_000
t.setTimeout(timeout)

const program = new URL('../../examples/realworld/server.ts', import.meta.url)

t.test('the RealWorld example follows the specification, for 8 clients at once, over a restart', { timeout }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'realworld-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const example = await startExample(t, program, folder)
  const { ask, end } = example

  const seeded = (await ask('GET', '/api/articles')).body
  t.equal(seeded.articlesCount, 12, 'articles are there from the start')
  t.match((await ask('GET', '/api/tags')).body, { tags: ['databases', 'learning'] }, 'the most popular tags first')

  await walk(t, example, 'walker1')
  await walk(t, example, 'walker2')
  await Promise.all(Array.from({ length: 8 }, (_, index) => walk(t, example, `eight${index}`)))
  t.strictSame((await ask('GET', '/api/articles')).body, seeded, 'the walks leave no article')

  t.match(await ask('GET', '/health/database/pool'), { status: 200, body: { inUse: 0, waiting: 0 } })
  t.match((await ask('GET', '/docs/json')).body, {
    info: { title: 'Conduit' }, paths: { '/api/articles/{slug}/favorite': { post: { security: [{ Token: [] }] } } }
  })
  t.strictSame(await end('SIGINT'), [0, null])
  t.strictSame(processesOf(folder), [])

  const second = await startExample(t, program, folder)
  t.strictSame((await second.ask('GET', '/api/articles')).body, seeded, 'seeded once')
  t.match((await second.ask('GET', '/api/profiles/walker1')).body, { profile: { bio: 'I walk' } })
  t.strictSame(await second.end('SIGTERM'), [0, null])
})

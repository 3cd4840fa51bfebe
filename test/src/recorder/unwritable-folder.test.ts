import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { record } from '../../helpers/recorder.js'
import { users } from '../../helpers/schema.js'
import { build, buildByProxy } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'
import type { Test } from 'tap'

/** A server whose routes /a, /b and /c lose the response to their COMMIT, and how to make the recorder's folder useless. */
async function losing (t: Test) {
  const { server, proxy } = await buildByProxy(t)
  for (const url of ['/a', '/b', '/c']) server.post(url, (request) => request.repo(users).create({ email: url }))
  const recorded = await record(t, server.db)
  return {
    ...recorded,
    lose: async (url: string): Promise<void> => {
      proxy.loseAnswer('commit')
      await server.inject({ method: 'POST', url })
    },
    spoil: async (): Promise<void> => {
      await rm(recorded.folder, { recursive: true })
      await writeFile(recorded.folder, 'not a folder')
    }
  }
}

const cannotWrite = { level: 'error', message: /^the flight recorder cannot write/, context: { err: { code: /EEXIST|ENOTDIR/ } } }

t.test('a folder that cannot be written is told once', async (t) => {
  const { recorder, logger, lose, spoil } = await losing(t)
  await spoil()

  for (const url of ['/a', '/b', '/c']) await lose(url)
  await recorder.close()

  t.match(logger.lines, [cannotWrite])
  t.equal(logger.lines.length, 1)
})

t.test('and once more after it could be written again', async (t) => {
  const { logger, folder, files, lose, spoil } = await losing(t)
  const told = (count: number): Promise<void> => until(() => logger.lines.length === count)

  await spoil()
  await lose('/a')
  await told(1)
  await rm(folder)
  await lose('/b')
  await told(2)
  t.equal((await files()).length, 1)
  await spoil()
  await lose('/c')
  await told(3)

  t.match(logger.lines, [cannotWrite, { level: 'warn', context: { route: 'POST /b' } }, cannotWrite])
})

t.test('a folder that cannot be created is told at the start, and the server starts', async (t) => {
  const server = await build(t)
  const { logger, recorder } = await record(t, server.db, { folder: join(fileURLToPath(import.meta.url), 'folder') })

  t.match(logger.lines, [{ ...cannotWrite, context: { folder: /unwritable-folder\.test\.ts.folder$/, err: { code: 'ENOTDIR' } } }])
  await recorder.close()
})

import { readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { RecordingFolder } from '../../../src/recorder/recording-folder.js'
import { temporaryFolder } from '../../helpers/recorder.js'

const deadlock = { database: 'default', kind: 'deadlock', at: Date.UTC(2026, 0, 2, 3, 4, 5, 6) }

t.test('a file is readable for its user only, and its name says when, what and where', async (t) => {
  const path = join(await temporaryFolder(t), 'new', 'folder')
  const folder = new RecordingFolder(path, 3)

  const file = await folder.write('<p>page', { ...deadlock, kind: 'pool time-out' })

  t.equal(file, join(path, `2026-01-02T03-04-05.006Z-pool-time-out-default-${process.pid}-1.html`))
  t.equal(await readFile(file, 'utf8'), '<p>page')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal((await stat(path)).mode & 0o777, 0o700)
})

t.test('a thousand files leave as many as are kept, the latest, and nothing else of the folder is deleted', async (t) => {
  const path = await temporaryFolder(t)
  const others = ['index.html', 'notes.part', '2026-01-01.html']
  for (const name of others) await writeFile(join(path, name), '')
  const folders = [new RecordingFolder(path, 5), new RecordingFolder(path, 5)]

  for (let count = 0; count < 500; count++) {
    await Promise.all(folders.map((folder, index) => folder.write('', { ...deadlock, database: `d${index}`, at: deadlock.at + count * 1000 })))
  }

  const names = await readdir(path)
  const kept = names.filter((name) => !others.includes(name))
  t.same(names.length - kept.length, others.length)
  t.equal(kept.length, 5)
  t.ok(kept.every((name) => /^2026-01-02T03-12-2[234]/.test(name)), kept.join())
})

t.test('a file that a killed process has left unfinished is deleted, one that is being written is not, however old its incident', async (t) => {
  const path = await temporaryFolder(t)
  const [left, beingWritten] = [1, 2].map((count) => `2026-01-01T00-00-00.000Z-deadlock-default-1-${count}.html.part`) as [string, string]
  for (const name of [left, beingWritten]) await writeFile(join(path, name), '')
  const elevenMinutesAgo = new Date(Date.now() - 660_000)
  await utimes(join(path, left), elevenMinutesAgo, elevenMinutesAgo)

  await new RecordingFolder(path, 5).write('', deadlock)

  t.same((await readdir(path)).sort(), [beingWritten, `2026-01-02T03-04-05.006Z-deadlock-default-${process.pid}-1.html`])
})

t.test('an unfinished file that its process finishes meanwhile is no error', async (t) => {
  const path = await temporaryFolder(t)
  // A link to nothing is listed, and has no file of which the age could be asked.
  const name = '2026-01-01T00-00-00.000Z-deadlock-default-1-1.html.part'
  await symlink(join(path, 'gone'), join(path, name))

  await new RecordingFolder(path, 5).write('', deadlock)

  t.same((await readdir(path)).sort(), [name, `2026-01-02T03-04-05.006Z-deadlock-default-${process.pid}-1.html`])
})

t.test('a file that exists is not written over', async (t) => {
  const path = await temporaryFolder(t)
  const name = `2026-01-02T03-04-05.006Z-deadlock-default-${process.pid}-1.html`
  await writeFile(join(path, `${name}.part`), 'of somebody else')

  await t.rejects(new RecordingFolder(path, 5).write('', deadlock), { code: 'EEXIST' })
})

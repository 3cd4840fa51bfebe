import type { Database } from '../../plugins/index.js'
import { articles, favorites } from './articles/table.js'
import { slugOf } from './articles/slug.js'
import { comments } from './comments/table.js'
import { follows } from './profiles/table.js'
import { TagRepository } from './tags/repository.js'
import { hashPassword } from './users/password.js'
import { users } from './users/table.js'

const people = [
  ['mira', 'Runs PostgreSQL for a bakery, and bakes for a database company.'],
  ['okon', 'Backend developer in Lagos. Slow coffee, fast queries.'],
  ['lene', 'Writes about small teams, from a very small island.'],
  ['tomasz', 'Bicycles, maps, and what they have to do with each other.'],
  ['yuki', null]
] as const

const stories = [
  ['mira', 'A deploy without a night shift', 'Migrations that old and new code can both live with', ['databases', 'deploys']],
  ['okon', 'What a slow query taught me about my users', 'They search for things we do not sell', ['databases', 'search']],
  ['lene', 'The meeting that became a page', 'Six people read faster than they talk', ['teams', 'writing']],
  ['tomasz', 'Drawing a city by bicycle', 'Forty rides, one map', ['cycling', 'maps']],
  ['mira', 'Sourdough is a background job', 'Retries, timeouts and flour', ['baking']],
  ['okon', 'Three indexes we could delete', 'And the one that we could not', ['databases']],
  ['yuki', 'Learning to read error messages aloud', 'A habit from pair programming', ['learning', 'teams']],
  ['lene', 'How we write things down', 'One folder, one owner, one date', ['writing']],
  ['tomasz', 'Contour lines for beginners', 'Where the hill hides on paper', ['maps', 'learning']],
  ['mira', 'Savepoints in everyday life', 'Undo the last step and keep the rest', ['databases', 'learning']],
  ['okon', 'A search box that forgives', 'Typing mistakes are data, too', ['search']],
  ['yuki', 'My first on-call week', 'Nothing happened, and I learned a lot', ['deploys', 'learning']]
] as const

const remarks = ['This is just what I needed today.', 'We do it the other way round, and it works, too.', 'Is there a second part?', 'I have sent this to my whole team.']
const day = 24 * 60 * 60 * 1000

/** Fills an empty database with a few users and their articles, the same on every machine. Their password is `conduit`. */
export async function seed (database: Database): Promise<void> {
  if (await database.repo(users).exists()) return
  const passwordHash = await hashPassword('conduit')

  await database.transaction(async (session) => {
    const rows = await session.repo(users).createMany(people.map(([username, bio]) => ({ username, bio, email: `${username}@example.com`, passwordHash })))
    const ids = rows.map(({ id }) => id)
    const idOf = (name: string) => rows.find(({ username }) => username === name)!.id

    const written = await session.repo(articles).createMany(stories.map(([author, title, description], index) => {
      const createdAt = new Date(Date.now() - (stories.length - index) * day)
      return { authorId: idOf(author), slug: slugOf(title), title, description, body: `${description}. Here is how it began, what went wrong, and what I would do again.`, createdAt, updatedAt: createdAt }
    }))
    for (const [index, [,,, names]] of stories.entries()) await session.repo(TagRepository).tie(written[index]!.id, names)

    // Each user follows the next two, likes every third article, and comments on every fourth.
    await session.repo(follows).createMany(ids.flatMap((followerId, at) => [1, 2].map((step) => ({ followerId, followedId: ids[(at + step) % ids.length]! }))))
    await session.repo(favorites).createMany(ids.flatMap((userId, at) => written.filter((_, index) => (index + at) % 3 === 0).map(({ id }) => ({ userId, articleId: id }))))
    await session.repo(comments).createMany(ids.flatMap((authorId, at) => written.filter((_, index) => (index + at) % 4 === 0)
      .map(({ id }, index) => ({ authorId, articleId: id, body: remarks[(index + at) % remarks.length]! }))))
  })
}

import t from 'tap'
import { expectNoLeaks } from '../../../src/testing/index.js'
import { as, newArticle, newUser, openApp } from './setup.js'

// Concurrent requests need transactions of their own, so this file has a database without a sandbox.
const app = await openApp(t)
const times = <Result>(count: number, ask: (n: number) => Promise<Result>) => Promise.all(Array.from({ length: count }, (_, n) => ask(n)))
t.afterEach(() => expectNoLeaks(app.db))

t.test('when many register one name at once, one gets it and the others get an error', async (t) => {
  const replies = await times(8, (n) => as(app)('POST', '/users', { user: { username: 'wanted', email: `${n}@example.com`, password: 'x' } }))

  t.equal(replies.filter(({ status }) => status === 201).length, 1)
  for (const { body } of replies.filter(({ status }) => status !== 201)) t.strictSame(body, { errors: { body: ['username has already been taken'] } })
})

t.test('articles with one title, published at once with tags in any order, are all created', async (t) => {
  const author = await newUser({}, app.db)
  const tagList = ['d', 'c', 'b', 'a']
  const replies = await times(20, (n) => as(app, author)('POST', '/articles', {
    article: { title: 'Same idea', description: 'd', body: 'b', tagList: n % 2 === 0 ? tagList : tagList.toReversed() }
  }))

  t.ok(replies.every(({ status }) => status === 201))
  t.equal(new Set(replies.map(({ body }) => body.article.slug)).size, 20)
  t.match((await as(app)('GET', '/articles?tag=a')).body, { articlesCount: 20 })
})

t.test('parallel requests for a favourite or a follow count once', async (t) => {
  const fan = await newUser({}, app.db)
  const star = await newUser({}, app.db)
  const { slug } = await newArticle({ authorId: star.id }, app.db)
  const ask = as(app, fan)

  for (const { status } of await times(20, () => ask('POST', `/articles/${slug}/favorite`))) t.equal(status, 200)
  for (const { status } of await times(20, () => ask('POST', `/profiles/${star.username}/follow`))) t.equal(status, 200)
  t.match((await ask('GET', `/articles/${slug}`)).body, { article: { favorited: true, favoritesCount: 1, author: { following: true } } })
  for (const { status } of await times(20, () => ask('DELETE', `/articles/${slug}/favorite`))) t.equal(status, 200)
  t.match((await ask('GET', `/articles/${slug}`)).body, { article: { favorited: false, favoritesCount: 0 } })
})

t.test('readers see each article whole while its author changes and deletes it', async (t) => {
  const author = await newUser({}, app.db)
  const { slug } = await newArticle({ authorId: author.id }, app.db)
  const replies = await Promise.all([
    times(10, (n) => as(app, author)('PUT', `/articles/${slug}`, { article: { body: `Revision ${n}` } })),
    times(20, () => as(app)('GET', `/articles?author=${author.username}`)),
    as(app, author)('DELETE', `/articles/${slug}`)
  ])

  for (const { body } of replies[1]) t.equal(body.articles.length, body.articlesCount)
  for (const { status } of replies[0]) t.ok([200, 404].includes(status))
  t.equal(replies[2].status, 204)
})

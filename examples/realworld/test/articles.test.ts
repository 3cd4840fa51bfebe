import t from 'tap'
import { sandbox } from '../../../src/testing/index.js'
import { slugOf } from '../articles/slug.js'
import { articles } from '../articles/table.js'
import { users } from '../users/table.js'
import { as, newArticle, newUser, openApp } from './setup.js'

const app = await openApp(t)
t.beforeEach(async (t) => { t.teardown((await sandbox(app)).rollback) })
const draft = { title: 'On savepoints', description: 'd', body: 'b' }

t.test('a slug consists of letters and digits of any language, and never equals the path of the feed', async (t) => {
  t.equal(slugOf('  Crème brûlée, twice! '), 'creme-brulee-twice')
  t.equal(slugOf('数据库 101'), '数据库-101')
  t.equal(slugOf('Feed'), 'the-feed')
  t.equal(slugOf('!?'), 'untitled')
  t.equal([...slugOf('\uFDFA'.repeat(200))].length, 200, 'a sign that is short for many letters')
})

t.test('a client writes only writable columns; other fields that it sends are dropped', async (t) => {
  const user = await newUser({}, app.db)
  const other = await newUser({}, app.db)
  const author = as(app, user)
  const sneaky = { slug: 'mine', authorId: other.id, createdAt: '2000-01-01T00:00:00.000Z' }

  const { body: { article } } = await author('POST', '/articles', { article: { ...draft, ...sneaky } })
  t.match(article, { slug: 'on-savepoints', author: { username: user.username } })
  t.notMatch(article.createdAt, /^2000/)
  t.match((await author('PUT', '/articles/on-savepoints', { article: { body: 'new', ...sneaky } })).body,
    { article: { slug: 'on-savepoints', body: 'new', createdAt: article.createdAt, author: { username: user.username } } })
  t.match(await author('PUT', '/user', { user: { bio: 'new', id: other.id, token: 'as it came' } }), { status: 200, body: { user: { username: user.username, bio: 'new' } } })
})

t.test('a taken title gets a longer slug, and earlier writes of the request stay', async (t) => {
  const author = as(app, await newUser({}, app.db))

  t.match(await author('POST', '/articles', { article: draft }), { status: 201, body: { article: { slug: 'on-savepoints' } } })
  t.match(await author('POST', '/articles', { article: { ...draft, tagList: ['x'] } }), { status: 201, body: { article: { slug: /^on-savepoints-[0-9a-f]{8}$/, tagList: ['x'] } } })
})

t.test('a new title changes the slug, even if the title is taken; the same title keeps it', async (t) => {
  const user = await newUser({}, app.db)
  const author = as(app, user)
  await newArticle({ authorId: user.id, slug: 'first', title: 'First' }, app.db)
  await newArticle({ authorId: user.id, slug: 'second', title: 'Second' }, app.db)

  t.match(await author('PUT', '/articles/second', { article: { title: 'Second', body: 'new' } }), { body: { article: { slug: 'second', body: 'new' } } })
  const { body: { article: { slug } } } = await author('PUT', '/articles/second', { article: { title: 'First' } })
  t.match(slug, /^first-[0-9a-f]{8}$/)
  t.match(await author('GET', `/articles/${slug}`), { status: 200, body: { article: { title: 'First', body: 'new' } } })
})

t.test('deleting an article deletes its comments, tags and favourites', async (t) => {
  const user = await newUser({}, app.db)
  const author = as(app, user)
  await author('POST', '/articles', { article: { ...draft, tagList: ['gone'] } })
  await author('POST', '/articles/on-savepoints/favorite')
  await author('POST', '/articles/on-savepoints/comments', { comment: { body: 'c' } })

  t.equal((await author('DELETE', '/articles/on-savepoints')).status, 204)
  t.equal(await app.db.repo(articles).count(), 0)
  t.strictSame((await author('GET', '/tags')).body, { tags: [] })
})

t.test('a user whose account was deleted gets 401, found by the foreign key of the article', async (t) => {
  const user = await newUser({}, app.db)
  const { slug } = await newArticle({}, app.db)
  const ghost = as(app, user)
  await app.db.repo(users).delete(user.id)

  const gone = { status: 401, body: { errors: { body: ['this account is gone'] } } }
  t.match(await ghost('POST', '/articles', { article: draft }), gone)
  t.match(await ghost('POST', `/articles/${slug}/favorite`), gone)
  t.match(await ghost('POST', `/articles/${slug}/comments`, { comment: { body: 'boo' } }), gone)
  t.match(await ghost('GET', '/user'), gone)
})

t.test('an invalid request is refused with the reason', async (t) => {
  const author = as(app, await newUser({}, app.db))

  t.match(await author('POST', '/articles', { article: { ...draft, title: 'x'.repeat(201) } }), { status: 422, body: { errors: { body: [/^title /] } } })
  t.match(await author('POST', '/articles', { article: { ...draft, body: 'a\0b' } }), { status: 422 })
  t.match(await author('POST', '/articles', { article: { ...draft, tagList: [''] } }), { status: 422 })
})

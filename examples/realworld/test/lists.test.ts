import t from 'tap'
import { captureStatements, sandbox } from '../../../src/testing/index.js'
import { FavoriteRepository } from '../articles/repository.js'
import { FollowRepository } from '../profiles/repository.js'
import { TagRepository } from '../tags/repository.js'
import { as, newArticle, newComment, newUser, openApp } from './setup.js'

const app = await openApp(t)
t.beforeEach(async (t) => { t.teardown((await sandbox(app)).rollback) })

/** Twenty articles by as many authors, with tags, favourites and comments, and a user who follows all the authors. */
async function writeTwenty () {
  const reader = await newUser({}, app.db)
  const slugs: string[] = []
  for (let n = 0; n < 20; n++) {
    const article = await newArticle({}, app.db)
    await app.db.repo(TagRepository).tie(article.id, ['common', `tag${n}`])
    await app.db.repo(FavoriteRepository).add(reader.id, article.id)
    await app.db.repo(FollowRepository).add(reader.id, article.authorId)
    slugs.push(article.slug)
  }
  return { reader, slugs }
}

t.test('a page of articles takes two statements, whatever the number of articles, authors and tags', async (t) => {
  const { reader, slugs } = await writeTwenty()
  const ask = as(app, reader)

  for (const path of ['/articles', '/articles?tag=common', `/articles?favorited=${reader.username}`, '/articles/feed']) {
    const { result, statements } = await captureStatements(app.db, () => ask('GET', path))
    t.equal(result.body.articlesCount, 20, path)
    t.strictSame(result.body.articles.map(({ slug }: { slug: string }) => slug), slugs.toReversed(), 'the newest first')
    t.match(result.body.articles[0], { tagList: ['common', 'tag19'], favorited: true, favoritesCount: 1, author: { following: true } })
    t.equal(statements.length, 2, path)
  }
})

t.test('the comments on an article take two statements, whatever their number', async (t) => {
  const article = await newArticle({}, app.db)
  for (let n = 0; n < 10; n++) await newComment({ articleId: article.id }, app.db)

  const { result, statements } = await captureStatements(app.db, () => as(app)('GET', `/articles/${article.slug}/comments`))
  t.equal(result.body.comments.length, 10)
  t.equal(statements.length, 2)
})

t.test('one article takes one statement, and publishing one with tags takes four', async (t) => {
  const author = await newUser({}, app.db)
  const tagList = Array.from({ length: 10 }, (_, n) => `tag${n}`)

  const publishing = await captureStatements(app.db, () =>
    as(app, author)('POST', '/articles', { article: { title: 'Ten tags', description: 'd', body: 'b', tagList } }))
  t.match(publishing.result, { status: 201, body: { article: { slug: 'ten-tags', tagList } } })
  t.equal(publishing.statements.length, 4)

  const reading = await captureStatements(app.db, () => as(app)('GET', '/articles/ten-tags'))
  t.strictSame(reading.result.body, publishing.result.body)
  t.equal(reading.statements.length, 1)
})

t.test('an offset past the end returns no article and the right total', async (t) => {
  const author = await newUser({}, app.db)
  for (let n = 0; n < 3; n++) await newArticle({ authorId: author.id }, app.db)

  t.strictSame((await as(app)('GET', `/articles?author=${author.username}&offset=5`)).body, { articles: [], articlesCount: 3 })
})

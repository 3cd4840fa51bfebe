import type { Test } from 'tap'
import type { Example } from '../helpers/example.js'

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const refusal = { errors: { body: [String] } }

// A value is its type, or whether it may be that: what the specification says of each field, and no field besides.
const user = { email: String, token: String, username: String, bio: 'text or null', image: 'text or null' }
const profile = { username: String, bio: 'text or null', image: 'text or null', following: Boolean }
const article = {
  slug: String,
  title: String,
  description: String,
  body: String,
  tagList: Array,
  createdAt: iso,
  updatedAt: iso,
  favorited: Boolean,
  favoritesCount: Number,
  author: profile
}
const comment = { id: Number, createdAt: iso, updatedAt: iso, body: String, author: profile }

/** Whether a value has these fields, each of its kind, and no other. */
function fits (value: object, shape: object): boolean {
  return Object.keys(value).sort().join() === Object.keys(shape).sort().join() && Object.entries(shape).every(([name, kind]) => {
    const field = Object(value)[name]
    if (kind === 'text or null') return field === null || typeof field === 'string'
    if (kind instanceof RegExp) return kind.test(field)
    return kind === profile ? fits(field, profile) : Object(field) instanceof kind
  })
}

function shaped (t: Test, value: object, shape: object): void {
  if (!fits(value, shape)) t.match(value, shape, 'has another shape')
}

/**
 * Walks through all that a client of the RealWorld API can do, and some of what it cannot, as two users whose names nobody has.
 * Like many clients it announces JSON with every request, those without a body included.
 */
export async function walk (t: Test, { ask }: Example, name: string): Promise<void> {
  const as = (token?: string) => async (method: string, path: string, body?: object) =>
    ask(method, `/api${path}`, body, { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Token ${token}` }) })
  const nobody = as()
  const account = { username: name, email: `${name}@example.com`, password: 'a long password' }

  // Users
  const registered = await nobody('POST', '/users', { user: account })
  t.match(registered, { status: 201, body: { user: { username: name, email: account.email, bio: null, image: null } } })
  shaped(t, registered.body.user, user)
  t.match(await nobody('POST', '/users', { user: { ...account, username: `${name}_too` } }), { status: 422, body: { errors: { body: [/email/] } } })
  t.match(await nobody('POST', '/users', { user: { ...account, email: `too_${account.email}` } }), { status: 422, body: { errors: { body: [/username/] } } })
  for (const missing of ['username', 'email', 'password']) {
    t.match(await nobody('POST', '/users', { user: { ...account, [missing]: '' } }), { status: 422, body: { errors: { body: [`${missing} can't be blank`] } } })
    t.match(await nobody('POST', '/users', { user: { ...account, [missing]: undefined } }), { status: 422, body: refusal })
  }
  t.match(await nobody('POST', '/users'), { status: 422, body: refusal })
  const signedIn = await nobody('POST', '/users/login', { user: { email: account.email, password: account.password } })
  t.match(signedIn, { status: 200, body: { user: { username: name } } })
  shaped(t, signedIn.body.user, user)
  t.match(await nobody('POST', '/users/login', { user: { email: account.email, password: 'wrong' } }), { status: 401, body: refusal })
  t.match(await nobody('POST', '/users/login', { user: { email: `no${account.email}`, password: 'wrong' } }), { status: 401, body: refusal })
  t.match(await nobody('POST', '/users/login', { user: { email: account.email } }), { status: 422, body: refusal })

  const me = as(signedIn.body.user.token)
  const current = await me('GET', '/user')
  t.match(current, { status: 200, body: { user: { username: name, email: account.email } } })
  shaped(t, current.body.user, user)
  t.match(await me('PUT', '/user', { user: { bio: 'I walk', image: 'https://example.com/i.png' } }), {
    status: 200, body: { user: { ...current.body.user, token: String, bio: 'I walk', image: 'https://example.com/i.png' } }
  })
  t.match(await me('PUT', '/user', { user: { email: account.email } }), { status: 200, body: { user: { bio: 'I walk' } } }, 'what is not named stays')
  t.match(await me('PUT', '/user', { user: { image: '' } }), { status: 200, body: { user: { image: null } } })
  t.match(await me('PUT', '/user', { user: { password: 'another password' } }), { status: 200 })
  t.match(await nobody('POST', '/users/login', { user: { email: account.email, password: 'another password' } }), { status: 200 })
  for (const bad of [{}, { username: '' }, { email: null }]) t.match(await me('PUT', '/user', { user: bad }), { status: 422, body: refusal })

  // Profiles
  const friend = as((await nobody('POST', '/users', { user: { username: `friend_${name}`, email: `friend_${account.email}`, password: 'x' } })).body.user.token)
  t.match(await friend('PUT', '/user', { user: { username: name } }), { status: 422, body: { errors: { body: [/username/] } } })
  const seen = await nobody('GET', `/profiles/friend_${name}`)
  t.match(seen, { status: 200, body: { profile: { username: `friend_${name}`, bio: null, image: null, following: false } } })
  shaped(t, seen.body.profile, profile)
  for (let time = 0; time < 2; time++) t.match(await me('POST', `/profiles/friend_${name}/follow`), { status: 200, body: { profile: { following: true } } })
  t.match(await me('GET', `/profiles/friend_${name}`), { status: 200, body: { profile: { following: true } } })
  t.match(await friend('GET', `/profiles/${name}`), { status: 200, body: { profile: { following: false, bio: 'I walk' } } })
  t.match(await nobody('GET', `/profiles/no_${name}`), { status: 404, body: refusal })
  t.match(await me('POST', `/profiles/no_${name}/follow`), { status: 404, body: refusal })

  // Articles
  const dragons = { title: 'How to train your dragon', description: 'Ever wonder how?', body: 'Very carefully.', tagList: ['training', 'dragons', 'dragons'] }
  const created = await me('POST', '/articles', { article: dragons })
  t.match(created, {
    status: 201,
    body: {
      article: {
        title: dragons.title,
        body: dragons.body,
        tagList: ['dragons', 'training'],
        favorited: false,
        favoritesCount: 0,
        author: { username: name, following: false }
      }
    }
  })
  shaped(t, created.body.article, article)
  const { slug } = created.body.article
  t.match(slug, /^how-to-train-your-dragon/)
  t.strictSame((await nobody('GET', `/articles/${slug}`)).body, created.body)
  for (const missing of ['title', 'description', 'body']) {
    t.match(await me('POST', '/articles', { article: { ...dragons, [missing]: '' } }), {
      status: 422, body: { errors: { body: [`${missing} can't be blank`] } }
    })
  }
  t.match(await nobody('GET', `/articles/no-${slug}`), { status: 404, body: refusal })

  const theirs = (await friend('POST', '/articles', { article: { ...dragons, tagList: [`only ${name}`] } })).body.article.slug
  t.not(theirs, slug, 'the same title is another article')
  const third = (await friend('POST', '/articles', { article: { title: `Second of ${name}`, description: 'd', body: 'b' } })).body.article
  t.strictSame(third.tagList, [])

  const listed = await nobody('GET', '/articles')
  t.match(listed, { status: 200, body: { articlesCount: Number } })
  t.ok(listed.body.articles.length <= 20)
  for (const one of listed.body.articles) shaped(t, one, article)
  t.match(await me('GET', `/articles?author=${name}`), { status: 200, body: { articlesCount: 1, articles: [{ slug }] } })
  t.match(await me('GET', `/articles?tag=only%20${name}`), {
    status: 200, body: { articlesCount: 1, articles: [{ slug: theirs, author: { following: true } }] }
  })
  t.match((await me('GET', '/articles?tag=dragons')).body.articles[0].tagList, ['dragons', 'training'])
  t.strictSame((await nobody('GET', `/articles?author=no_${name}`)).body, { articles: [], articlesCount: 0 })
  t.match(
    await nobody('GET', `/articles?author=friend_${name}&limit=1`),
    { status: 200, body: { articlesCount: 2, articles: [{ slug: third.slug }] } },
    'the newest first'
  )
  t.match(await nobody('GET', `/articles?author=friend_${name}&limit=1&offset=1`), { status: 200, body: { articlesCount: 2, articles: [{ slug: theirs }] } })
  t.strictSame((await nobody('GET', `/articles?author=friend_${name}&offset=2`)).body, { articles: [], articlesCount: 2 })
  for (const bad of ['limit=0', 'offset=-1', 'limit=some']) t.match(await nobody('GET', `/articles?${bad}`), { status: 422, body: refusal })

  const feed = await me('GET', '/articles/feed?limit=1')
  t.match(feed, { status: 200, body: { articlesCount: 2, articles: [{ slug: third.slug, author: { username: `friend_${name}`, following: true } }] } })
  t.match(await me('GET', '/articles/feed?limit=1&offset=1'), { status: 200, body: { articlesCount: 2, articles: [{ slug: theirs }] } })
  t.match(await me('DELETE', `/profiles/friend_${name}/follow`), { status: 200, body: { profile: { username: `friend_${name}`, following: false } } })
  t.match(await me('GET', `/profiles/friend_${name}`), { status: 200, body: { profile: { following: false } } })
  t.strictSame((await me('GET', '/articles/feed')).body, { articles: [], articlesCount: 0 })

  const revised = await me('PUT', `/articles/${slug}`, { article: { body: 'With two hands' } })
  t.match(revised, { status: 200, body: { article: { slug, title: dragons.title, body: 'With two hands', tagList: ['dragons', 'training'] } } })
  shaped(t, revised.body.article, article)
  t.ok(revised.body.article.updatedAt >= revised.body.article.createdAt)
  const moved = (await friend('PUT', `/articles/${third.slug}`, { article: { title: `Moved by ${name}` } })).body.article.slug
  t.match(moved, /^moved-by/)
  t.match(await nobody('GET', `/articles/${third.slug}`), { status: 404 })
  t.match(await me('PUT', `/articles/${moved}`, { article: { body: 'mine' } }), { status: 403, body: refusal })
  t.match(await me('PUT', `/articles/no-${slug}`, { article: { body: 'mine' } }), { status: 404, body: refusal })
  t.match(await me('PUT', `/articles/${slug}`, { article: { title: '' } }), { status: 422, body: refusal })

  // Favourites
  for (let time = 0; time < 2; time++) {
    t.match(await me('POST', `/articles/${slug}/favorite`), {
      status: 200, body: { article: { slug, favorited: true, favoritesCount: 1 } }
    })
  }
  t.match(await friend('POST', `/articles/${slug}/favorite`), { status: 200, body: { article: { favorited: true, favoritesCount: 2 } } })
  t.match(await nobody('GET', `/articles?favorited=${name}`), {
    status: 200, body: { articlesCount: 1, articles: [{ slug, favorited: false, favoritesCount: 2 }] }
  })
  t.match(await me('GET', `/articles?favorited=${name}`), { status: 200, body: { articles: [{ slug, favorited: true }] } })
  for (let time = 0; time < 2; time++) {
    t.match(await me('DELETE', `/articles/${slug}/favorite`), {
      status: 200, body: { article: { favorited: false, favoritesCount: 1 } }
    })
  }
  t.strictSame((await nobody('GET', `/articles?favorited=${name}`)).body, { articles: [], articlesCount: 0 })
  t.match(await me('POST', `/articles/no-${slug}/favorite`), { status: 404, body: refusal })
  t.match(await me('DELETE', `/articles/no-${slug}/favorite`), { status: 404, body: refusal })

  // Comments
  const said = await friend('POST', `/articles/${slug}/comments`, { comment: { body: 'Thank you so much!' } })
  t.match(said, { status: 200, body: { comment: { body: 'Thank you so much!', author: { username: `friend_${name}` } } } })
  shaped(t, said.body.comment, comment)
  const second = (await me('POST', `/articles/${slug}/comments`, { comment: { body: 'You are welcome' } })).body.comment
  const comments = await nobody('GET', `/articles/${slug}/comments`)
  t.strictSame(comments.body, { comments: [second, said.body.comment] })
  t.match(await me('GET', `/articles/${slug}/comments`), { status: 200, body: { comments: [{}, {}] } })
  t.match(await me('POST', `/articles/${slug}/comments`, { comment: { body: '' } }), { status: 422, body: { errors: { body: ["body can't be blank"] } } })
  t.match(await me('POST', `/articles/no-${slug}/comments`, { comment: { body: 'Hello?' } }), { status: 404, body: refusal })
  t.match(await nobody('GET', `/articles/no-${slug}/comments`), { status: 404, body: refusal })
  t.match(await me('DELETE', `/articles/${slug}/comments/${said.body.comment.id}`), { status: 403, body: refusal })
  t.match(await friend('DELETE', `/articles/${theirs}/comments/${said.body.comment.id}`), { status: 404, body: refusal }, 'of another article')
  t.strictSame(await friend('DELETE', `/articles/${slug}/comments/${said.body.comment.id}`), { status: 204, body: undefined })
  t.match(await friend('DELETE', `/articles/${slug}/comments/${said.body.comment.id}`), { status: 404, body: refusal })
  t.match((await nobody('GET', `/articles/${slug}/comments`)).body, { comments: [{ id: second.id }] })

  // Tags
  const { status, body: { tags } } = await nobody('GET', '/tags')
  t.equal(status, 200)
  t.ok(tags.includes('dragons') && tags.includes(`only ${name}`))

  // Without a token, and with one that is none
  for (const [method, path, body] of [
    ['GET', '/user'], ['PUT', '/user', { user: { bio: 'x' } }], ['GET', '/articles/feed'], ['POST', '/articles', { article: dragons }],
    ['PUT', `/articles/${slug}`, { article: { body: 'x' } }], ['DELETE', `/articles/${slug}`],
    ['POST', `/articles/${slug}/favorite`], ['DELETE', `/articles/${slug}/favorite`],
    ['POST', `/articles/${slug}/comments`, { comment: { body: 'x' } }], ['DELETE', `/articles/${slug}/comments/${second.id}`],
    ['POST', `/profiles/${name}/follow`], ['DELETE', `/profiles/${name}/follow`]
  ] as const) t.match(await nobody(method, path, body), { status: 401, body: refusal }, `${method} ${path}`)
  t.match(await as('nonsense')('GET', '/user'), { status: 401, body: refusal })
  t.match(await as('nonsense')('GET', '/articles'), { status: 401, body: refusal })
  t.match(await nobody('GET', '/nothing'), { status: 404, body: refusal })

  // The end
  t.match(await friend('DELETE', `/articles/${slug}`), { status: 403, body: refusal })
  t.strictSame(await me('DELETE', `/articles/${slug}`), { status: 204, body: undefined })
  t.match(await me('DELETE', `/articles/${slug}`), { status: 404, body: refusal })
  for (const theirOwn of [theirs, moved]) t.match(await friend('DELETE', `/articles/${theirOwn}`), { status: 204 })
}

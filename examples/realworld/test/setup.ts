import { join } from 'node:path'
import type { Test } from 'tap'
import { createTestDatabase, factory } from '../../../src/testing/index.js'
import { articles } from '../articles/table.js'
import { buildApp } from '../app.js'
import { comments } from '../comments/table.js'
import { users } from '../users/table.js'

export type App = Awaited<ReturnType<typeof buildApp>>

/** The application over a database for this file: a clone of a migrated one, dropped at the end. */
export async function openApp (t: Test): Promise<App> {
  const { connectionString } = await createTestDatabase(t, { migrations: join(import.meta.dirname, '../migrations') })
  const app = await buildApp({ connectionString, secret: 'of these tests' })
  t.teardown(() => app.close())
  return app
}

export const newUser = factory(users, (n) => ({ username: `user${n}`, email: `user${n}@example.com`, passwordHash: 'none' }))

export const newArticle = factory(articles, (n) => ({
  slug: `article-${n}`,
  title: `Article ${n}`,
  description: 'What it is about',
  body: 'What it says',
  authorId: async (source) => (await newUser({}, source)).id
}))

export const newComment = factory(comments, (n) => ({
  body: `Comment ${n}`,
  articleId: async (source) => (await newArticle({}, source)).id,
  authorId: async (source) => (await newUser({}, source)).id
}))

/** Sends requests as this user, or without one. */
export function as (app: App, user?: { id: number }) {
  const headers = user === undefined ? {} : { authorization: `Token ${app.jwt.sign({ sub: String(user.id) })}` }
  return async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const reply = await app.inject({ method, url: `/api${path}`, headers, ...(body !== undefined && { payload: body }) })
    return { status: reply.statusCode, body: reply.body === '' ? undefined : reply.json() }
  }
}

import { factory } from '../../src/testing/index.js'
import { posts, users } from '../quickstart/schema.js'

// Rows for tests: a test names only the values that it is about.

export const newUser = factory(users, (n) => ({ name: `User ${n}`, email: `user${n}@example.com` }))

/** With an author, unless the test names one. */
export const newPost = factory(posts, (n) => ({
  title: `Post ${n}`,
  body: 'Not much to say.',
  authorId: async (source) => (await newUser({}, source)).id
}))

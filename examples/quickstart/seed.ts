import type { Database } from '../../plugins/index.js'
import { posts, users } from './schema.js'

const firstNames = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Frances', 'Ken', 'Radia', 'Niklaus', 'Hedy', 'Dennis', 'Mary', 'Tony', 'Karen', 'Linus', 'Joan', 'Michael', 'Shafi', 'Leslie']
const lastNames = ['Okafor', 'Lindqvist', 'Moreau', 'Tanaka', 'Novak', 'Silva', 'Haddad', 'Kowalska', 'Byrne', 'Castellanos']
const subjects = ['connection pools', 'index-only scans', 'soft deletes', 'the weekend market', 'time zones', 'sourdough', 'code review', 'a bicycle tour', 'foreign keys']
const openings = ['What I learned about', 'Notes on', 'In praise of', 'A year with', 'The trouble with']

/** Fills an empty database with two hundred users and three hundred posts, the same on every machine: all of them or none. */
export async function seed (database: Database): Promise<void> {
  if (await database.repo(users).exists()) return

  await database.transaction(async (session) => {
    const authors = await session.repo(users).createMany(lastNames.flatMap((last) => firstNames.map((first) => ({
      name: `${first} ${last}`,
      email: `${first}.${last}@example.com`.toLowerCase(),
      isActive: (first.length + last.length) % 7 !== 0
    }))))
    await session.repo(posts).createMany(Array.from({ length: 300 }, (_, index) => {
      const subject = subjects[index % subjects.length]
      return {
        authorId: authors[(index * 37) % authors.length]!.id,
        title: `${openings[index % openings.length]} ${subject}`,
        body: `It took me a while to see what matters in ${subject}. Here is the short version, and three mistakes to avoid.`
      }
    }))
  })
}

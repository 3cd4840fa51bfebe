import { and, eq, sql } from 'drizzle-orm'
import { Repository } from '../../../plugins/index.js'
import { query } from '../query.js'
import { users } from '../users/table.js'
import { follows } from './table.js'

/** The profile of the row's user, as the viewer sees it: for any SELECT from `users`. */
export const profileFor = (viewer: number) => ({
  username: users.username,
  bio: users.bio,
  image: users.image,
  following: sql<boolean>`exists (select from ${follows} where ${and(eq(follows.followerId, viewer), eq(follows.followedId, users.id))})`
})

export class FollowRepository extends Repository.of(follows) {
  /** Follows a user. Following twice changes nothing. */
  async add (followerId: number, followedId: number): Promise<void> {
    await this.execute(query.insert(follows).values({ followerId, followedId }).onConflictDoNothing())
  }

  async remove (followerId: number, followedId: number): Promise<void> {
    await this.delete({ followerId, followedId })
  }
}

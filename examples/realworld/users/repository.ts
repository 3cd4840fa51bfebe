import { Repository } from '../../../plugins/index.js'
import { hashPassword, isPassword } from './password.js'
import { users } from './table.js'

/** A user as a client writes one; an empty text means no value. */
export interface UserChanges {
  readonly username?: string
  readonly email?: string
  readonly password?: string
  readonly bio?: string | null
  readonly image?: string | null
}

export class UserRepository extends Repository.of(users) {
  // Passwords are hashed before the first statement, so no connection waits for the hash.

  async register ({ password, ...user }: { username: string, email: string, password: string }) {
    return this.create({ ...user, passwordHash: await hashPassword(password) })
  }

  async change (id: number, { password, bio, image, ...user }: UserChanges) {
    const passwordHash = password === undefined ? undefined : await hashPassword(password)
    return this.updateOrThrow(id, { ...user, bio: bio === '' ? null : bio, image: image === '' ? null : image, passwordHash })
  }

  /** The account that these credentials open, or undefined. */
  async login (email: string, password: string) {
    const user = await this.getBy({ email })
    return await isPassword(password, user?.passwordHash) ? user : undefined
  }

  byName (username: string) {
    return this.getByOrThrow({ username }, { columns: ['id', 'username', 'bio', 'image'] })
  }
}

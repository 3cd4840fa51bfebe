import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, Buffer>(scrypt)

/** What is kept of a password: the salt and what scrypt makes of both. */
export async function hashPassword (password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, 32)
  return `${salt.toString('base64url')}.${key.toString('base64url')}`
}

// Whoever has no account is let wait as long as those who have one: the time would tell which addresses exist.
const nobodys = await hashPassword(randomBytes(16).toString('hex'))

/** Whether it is the password that was hashed; false where there is no hash. */
export async function isPassword (password: string, hash = nobodys): Promise<boolean> {
  const [salt, key] = hash.split('.').map((part) => Buffer.from(part, 'base64url'))
  return timingSafeEqual(await derive(password, salt!, 32), key!) && hash !== nobodys
}

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, Buffer>(scrypt)

/** The stored form of a password: the salt, and scrypt's hash of both. */
export async function hashPassword (password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, 32)
  return `${salt.toString('base64url')}.${key.toString('base64url')}`
}

// An unknown address takes as long as a known one: otherwise the time would show which addresses exist.
const nobodys = await hashPassword(randomBytes(16).toString('hex'))

/** Whether this is the password that was hashed; false without a hash. */
export async function isPassword (password: string, hash = nobodys): Promise<boolean> {
  const [salt, key] = hash.split('.').map((part) => Buffer.from(part, 'base64url'))
  return timingSafeEqual(await derive(password, salt!, 32), key!) && hash !== nobodys
}

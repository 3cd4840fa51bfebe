import { randomBytes } from 'node:crypto'

/** A title as it stands in a URL: `Crème brûlée, twice!` is `creme-brulee-twice`. */
export function slugOf (title: string): string {
  const whole = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-')
  // One sign can become a dozen letters.
  const slug = [...whole].slice(0, 200).join('').replace(/^-|-$/g, '')
  // `/articles/feed` is something else.
  return slug === 'feed' ? 'the-feed' : slug || 'untitled'
}

/** For when somebody else had the same idea. */
export function longerSlug (slug: string): string {
  return `${slug}-${randomBytes(4).toString('hex')}`
}

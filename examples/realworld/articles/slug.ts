import { randomBytes } from 'node:crypto'

/** A title as it stands in a URL: `Crème brûlée, twice!` is `creme-brulee-twice`. */
export function slugOf (title: string): string {
  const whole = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-')
  // One character can become a dozen letters.
  const slug = [...whole].slice(0, 200).join('').replace(/^-|-$/g, '')
  // `/articles/feed` is a route of its own.
  return slug === 'feed' ? 'the-feed' : slug || 'untitled'
}

/** A longer slug, for a title that is taken. */
export function longerSlug (slug: string): string {
  return `${slug}-${randomBytes(4).toString('hex')}`
}

import { GenerationCache } from '../runtime/generation-cache.js'

/** The most characters of a text that are kept. */
const longest = 2000

/** The texts that were shortened last, so that a statement that is repeated costs no copy. */
const shortened = new GenerationCache<string>(50)

/** A text, shortened if it is long. It is a copy then: a part of a string would keep the whole of it in memory. */
export function clipped (text: string): string {
  if (text.length <= longest) return text
  const known = shortened.get(text)
  if (known !== undefined) return known
  const copy = `${Buffer.from(text.slice(0, longest)).toString()} …`
  shortened.set(text, copy)
  return copy
}

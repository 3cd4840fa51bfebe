/** Resolves when some work is done, or the time is over. */
export async function within (timeoutMillis: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => { timer = setTimeout(resolve, timeoutMillis) })
  await Promise.race([work, limit])
  clearTimeout(timer)
}

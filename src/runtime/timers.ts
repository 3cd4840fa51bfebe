/** The longest time that a Node timer accepts, in milliseconds: a longer one fires at once. */
export const longestMillis = 2 ** 31 - 1

/** {@link longestMillis} in seconds. */
export const longestSeconds = longestMillis / 1000

/** The longest time that a timer of Node's takes, in milliseconds: a longer one fires at once. */
export const longestTimerMillis = 2 ** 31 - 1

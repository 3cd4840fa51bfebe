import * as drizzle from 'drizzle-orm'

/** Whether the installed Drizzle is 1.0 rather than 0.45: it defines relations, and converts values, in another way. */
export const isDrizzle1 = 'defineRelations' in drizzle

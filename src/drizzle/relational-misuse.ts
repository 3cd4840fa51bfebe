/** An option of a relation that Drizzle does not understand. */
export class RelationalMisuse extends Error {}

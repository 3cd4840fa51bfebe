/** An option of a relation that Drizzle does not accept. */
export class RelationalMisuse extends Error {}

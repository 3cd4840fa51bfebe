import { is } from 'drizzle-orm'

type Entity = Parameters<typeof is>[1]

/** Drizzle's `is` for any value: its own reads the constructor of the prototype, which a parsed object may not have. */
export function isEntity<Type extends Entity> (value: unknown, type: Type): value is InstanceType<Type> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== null && is(value, type)
}

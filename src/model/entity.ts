import { is } from 'drizzle-orm'

type Entity = Parameters<typeof is>[1]

/** Whether a value is something of Drizzle's. Its own `is` reads the constructor of the prototype, which an object of a parser may not have. */
export function isEntity<Type extends Entity> (value: unknown, type: Type): value is InstanceType<Type> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== null && is(value, type)
}

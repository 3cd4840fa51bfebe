/** The same type with its properties written out: an editor shows `{ id: number; name: string }` in place of the types that made it. */
export type Simplify<T> = { [Key in keyof T]: T[Key] } & {}

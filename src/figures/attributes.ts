/** The attributes of the figures. Their values are names of the program and of its schema, codes, and addresses: few, and never values of parameters or rows. */
export const attributeNames = [
  'data_access.database', 'data_access.transaction.outcome', 'db.client.connection.pool.name', 'db.client.connection.state', 'db.collection.name', 'db.namespace',
  'db.operation.name', 'db.query.summary', 'db.response.status_code', 'db.system.name', 'error.type', 'server.address', 'server.port'
] as const

/** The name of an attribute. */
export type AttributeName = typeof attributeNames[number]

/** Attributes by their names. An attribute that is not known is left out. */
export type Attributes = { readonly [Name in AttributeName]?: string | number }

/** Attributes without those that are undefined. */
export function known (attributes: { readonly [Name in AttributeName]?: string | number | undefined }): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
}

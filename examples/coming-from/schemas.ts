/** What the routes of all sides accept: JSON schemas, and the types of what they let through. */

export interface ById { id: number }
export interface Page { page: number, limit: number }
export interface NewCustomer { name: string, email: string }
export interface NewOrder { customerId: number, lines: Array<{ item: string, quantity: number, cents: number }> }

const text = { type: 'string', minLength: 1 }
const positive = { type: 'integer', minimum: 1, maximum: 1_000_000 }
const customer = { name: text, email: text }

export const byId = { type: 'object', properties: { id: { type: 'integer' } } }
export const page = { type: 'object', properties: { page: { ...positive, default: 1 }, limit: { ...positive, maximum: 100, default: 20 } } }
export const newCustomer = { type: 'object', required: ['name', 'email'], additionalProperties: false, properties: customer }
export const changedCustomer = { type: 'object', minProperties: 1, additionalProperties: false, properties: customer }
const line = {
  type: 'object',
  required: ['item', 'quantity', 'cents'],
  additionalProperties: false,
  properties: { item: text, quantity: positive, cents: positive }
}
export const newOrder = {
  type: 'object',
  required: ['customerId', 'lines'],
  additionalProperties: false,
  properties: { customerId: positive, lines: { type: 'array', minItems: 1, items: line } }
}

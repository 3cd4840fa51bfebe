import * as orm from 'drizzle-orm-1'
import { drizzle } from 'drizzle-orm-1/node-postgres'
import * as core from 'drizzle-orm-1/pg-core'
import { openWith } from './drizzle-accounts.js'

export const open = openWith({ orm, core, connect: (pool) => drizzle({ client: pool }) })

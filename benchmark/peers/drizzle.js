import * as orm from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import * as core from 'drizzle-orm/pg-core'
import { openWith } from './drizzle-accounts.js'

export const open = openWith({ orm, core, connect: (pool) => drizzle(pool) })

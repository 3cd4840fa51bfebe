import { drizzle as drizzle1 } from 'drizzle-orm-1/node-postgres'
import { migrate as migrate1 } from 'drizzle-orm-1/node-postgres/migrator'
import { Pool } from 'pg'
import type { LayoutName } from './layouts.js'

// By a relative path, which test/loader sends to no other version.
const drizzle045 = '../../../node_modules/drizzle-orm/node-postgres'
const { drizzle: drizzle0 } = await import(`${drizzle045}/index.js`) as typeof import('drizzle-orm/node-postgres')
const { migrate: migrate0 } = await import(`${drizzle045}/migrator.js`) as typeof import('drizzle-orm/node-postgres/migrator')

/** Applies a folder with the migrator of drizzle-orm that reads its layout: 0.45 or 1.0. */
export async function migrateByDrizzle (connectionString: string, migrationsFolder: string, layout: LayoutName): Promise<void> {
  const pool = new Pool({ connectionString })
  try {
    if (layout === 'journal') await migrate0(drizzle0(pool), { migrationsFolder })
    else await migrate1(drizzle1({ client: pool }), { migrationsFolder })
  } finally {
    await pool.end()
  }
}

import { tables } from './schema.js'
import type { TransactionContext } from '../../src/index.js'

/** Two tenants share a table; the role of the application sees the rows of the tenant in the setting. */
export const tenantTables = `${tables}
  alter table users add column tenant text not null default current_setting('app.tenant', true);
  alter table users enable row level security;
  create policy tenant on users using (tenant = nullif(current_setting('app.tenant', true), ''));
  do $$ begin create role context_user; exception when duplicate_object or unique_violation then null; end $$;
  grant all on all tables in schema public to context_user;
  insert into users (email, tenant) values ('ada', 'a'), ('bob', 'b'), ('ben', 'b');
`

/** The context of a tenant of {@link tenantTables}. */
export function contextOf (tenant: string): TransactionContext {
  return { settings: { 'app.tenant': tenant }, role: 'context_user' }
}

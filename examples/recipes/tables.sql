create table customers (
  id integer generated always as identity primary key,
  name text not null,
  email text not null constraint customers_email_unique unique
);
create table invoices (
  id integer generated always as identity primary key,
  customer_id integer not null references customers,
  cents integer not null,
  paid_cents integer not null default 0,
  issued_at timestamptz(3) not null default now()
);
create table payments (
  id integer generated always as identity primary key,
  invoice_id integer not null references invoices,
  cents integer not null
);
create table members (
  id integer generated always as identity primary key,
  name text not null,
  email text not null constraint members_email_address check (email ~ '^[^@ A-Z]+@[^@ A-Z]+$'),
  deleted_at timestamptz(3)
);
create unique index members_email_index on members (email) where deleted_at is null;
create table bills (
  id integer generated always as identity primary key,
  cents integer not null,
  paid_cents integer not null default 0,
  constraint bills_not_overpaid check (paid_cents <= cents)
);
create table bill_payments (
  id integer generated always as identity primary key,
  key text not null unique,
  bill_id integer not null references bills,
  cents integer not null
);
create table idempotency_keys (
  key text primary key,
  request text not null,
  status integer,
  reply json,
  created_at timestamptz(3) not null default now()
);
create table "user" (
  id text primary key, name text not null, email text not null unique, email_verified boolean not null, image text,
  created_at timestamptz(3) not null, updated_at timestamptz(3) not null
);
create table "session" (
  id text primary key, expires_at timestamptz(3) not null, token text not null unique, ip_address text, user_agent text,
  user_id text not null references "user" on delete cascade, created_at timestamptz(3) not null, updated_at timestamptz(3) not null
);
create table "account" (
  id text primary key, account_id text not null, provider_id text not null, user_id text not null references "user" on delete cascade,
  access_token text, refresh_token text, id_token text, access_token_expires_at timestamptz(3), refresh_token_expires_at timestamptz(3),
  scope text, password text, created_at timestamptz(3) not null, updated_at timestamptz(3) not null
);
create table "verification" (
  id text primary key, identifier text not null, value text not null, expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null, updated_at timestamptz(3) not null
);

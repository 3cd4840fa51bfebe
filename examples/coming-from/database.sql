-- The database that is there already, whatever made it.
create table customers (
  id integer generated always as identity primary key,
  name text not null,
  email text not null constraint customers_email_unique unique,
  created_at timestamptz(3) not null default now()
);
create table orders (
  id integer generated always as identity primary key,
  customer_id integer not null constraint orders_customer_id_fkey references customers,
  placed_at timestamptz(3) not null default now()
);
create table order_lines (
  order_id integer not null references orders,
  item text not null,
  quantity integer not null,
  cents integer not null,
  constraint order_lines_pkey primary key (order_id, item)
);

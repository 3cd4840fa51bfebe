create table archived_invoices (id integer primary key, customer_name text not null, cents integer not null, issued_at timestamptz(3) not null);

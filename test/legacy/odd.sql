-- What a schema file of Drizzle cannot say, of each kind.
create schema "Odd One";
create sequence "Odd One".numbers as integer increment 2 minvalue 2 maxvalue 100 start 4 cache 3 cycle;
create type "Odd One".pair as (a integer, b text);
create domain "Odd One".name as text default 'x' not null check (value <> '');
create function "Odd One".next_name() returns text language sql as $$ select 'n' || nextval('"Odd One".numbers') $$;
create aggregate "Odd One".total (integer) (sfunc = int4pl, stype = integer, initcond = '0');
create table "Odd One".parents (
  id smallserial primary key, code char(3) unique, "class" varchar, seen timestamp(0), rate double precision, any_time time(3), span interval,
  flags bit(4), ip inet, net cidr, mac macaddr, doc json, names name[], grid integer[][], price numeric, amount numeric(5, 0), padded bpchar, twice uuid,
  unique nulls not distinct (twice, seen)
);
create table "Odd One".things (
  id integer generated always as identity (sequence name "Odd One".thing_numbers start 10 increment 5 minvalue 5 maxvalue 1000 cache 2 cycle) primary key,
  parent smallint, other integer, title "Odd One".name default "Odd One".next_name(), tick serial, "back`" text default E'a\\b`${1}''', "2nd" text,
  constraint later foreign key (parent) references "Odd One".parents (id) deferrable initially deferred,
  constraint on_both foreign key (parent) references "Odd One".parents (id) on update cascade on delete set null,
  constraint on_default foreign key (other) references "Odd One".things (id) on update set default on delete restrict,
  constraint fresh check (other > 0) no inherit,
  constraint covering unique (title) include (other)
);
create function "Odd One".all_things(out n bigint) language sql as $$ select count(*) from "Odd One".things $$;
create table "Odd One".constants ("export" integer, "Export" integer, "table" integer, unique ("export", "Export"));
create index things_live on "Odd One".things (parent) where other is null;
create index things_down on "Odd One".things (parent desc);
create index things_plain on "Odd One".things (parent, other);
create unique index things_only on "Odd One".things (tick);
create unique index things_null on "Odd One".things (parent, tick) nulls not distinct;
create unlogged table "Odd One".scratch (id integer primary key);
create table "Odd One".children () inherits ("Odd One".constants);
create rule quiet as on delete to "Odd One".constants do instead nothing;
create materialized view "Odd One".sums as select sum(id) as s from "Odd One".things with no data;
create unique index sums_key on "Odd One".sums (s);
create view "Odd One".names with (security_barrier = true) as select title from "Odd One".things;
create policy mine on "Odd One".things using (true);
create table "Odd One".made (id serial primary key, wide serial, number serial, even serial);
alter table "Odd One".made rename to moved;
alter table "Odd One".moved alter column wide type bigint, alter column number type numeric(20, 0);
-- A first migration leaves the names of NOT NULL to PostgreSQL 18.
alter table "Odd One".moved rename constraint made_id_not_null to moved_id_not_null;
alter table "Odd One".moved rename constraint made_wide_not_null to moved_wide_not_null;
alter table "Odd One".moved rename constraint made_number_not_null to moved_number_not_null;
alter table "Odd One".moved rename constraint made_even_not_null to moved_even_not_null;
alter sequence "Odd One".made_even_seq rename to moved_even_seq;
alter sequence "Odd One".moved_even_seq increment 2;
create table "Odd One"."cost$$" ("$&""" integer not null) partition by range ("$&""");
create table pairs (a integer, b integer, primary key (a, b));
create table halves (a integer, b integer, constraint one_of_both foreign key (a, b) references pairs (a, b) on delete set null (b));
create table stays (room int4range, during tstzrange, primary key (room, during without overlaps));
create table visits (room int4range, during tstzrange, foreign key (room, period during) references stays (room, period during));
create table codes (code text not null);
create unique index codes_code on codes (code);
create table coded (code text references codes (code));
create table parts (id integer primary key, size integer) partition by range (id);
create table parts_low partition of parts for values from (0) to (100) partition by hash (id);
create table parts_low_0 partition of parts_low for values with (modulus 1, remainder 0);
create table part_notes (part integer references parts (id), low integer references parts_low (id));
create index parts_by_size on parts (size);
comment on column "Odd One".things."2nd" is 'it''s second';
comment on view "Odd One".names is 'names';
comment on materialized view "Odd One".sums is 'sums';

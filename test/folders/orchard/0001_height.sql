-- heights were asked for in spring
alter table tree
  add column if not exists touched timestamp,
  add height int;
/* the planner wants it */ create index if not exists tree_kind on public.tree using btree (kind);
ALTER TABLE "tree" ADD CONSTRAINT "tree_height" CHECK ("height" > 0);

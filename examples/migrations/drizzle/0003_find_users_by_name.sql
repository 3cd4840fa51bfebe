-- data-access: no-transaction
CREATE INDEX CONCURRENTLY "users_full_name_index" ON "users" USING btree ("full_name");
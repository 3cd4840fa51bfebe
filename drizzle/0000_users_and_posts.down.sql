-- Drops the rows of posts, which the migration added.
-- Drops the rows of users, which the migration added.
DROP TABLE "posts" CASCADE;--> statement-breakpoint
DROP TABLE "users" CASCADE;

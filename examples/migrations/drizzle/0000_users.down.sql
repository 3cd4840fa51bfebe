-- Drops the rows of users, which the migration added.
DROP TABLE "users" CASCADE;--> statement-breakpoint
DROP TYPE "public"."role";

ALTER TABLE "users" ADD COLUMN "nickname" text;--> statement-breakpoint
UPDATE "users" SET "nickname" = split_part("name", ' ', 1);--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "nickname" SET NOT NULL;

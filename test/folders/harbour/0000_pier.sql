DO $$ BEGIN
 CREATE TYPE "public"."mood" AS ENUM('calm', 'rough');
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "pier" (
	"id" integer PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"mood" "mood" DEFAULT 'calm' NOT NULL,
	CONSTRAINT "pier_name" UNIQUE("name")
);

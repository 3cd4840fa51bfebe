CREATE TABLE IF NOT EXISTS "boat" (
	"id" integer PRIMARY KEY NOT NULL,
	"pier" integer,
	"built" timestamp
);
--> statement-breakpoint
DO $$ BEGIN
 ALTER TABLE "boat" ADD CONSTRAINT "boat_pier_pier_id_fk" FOREIGN KEY ("pier") REFERENCES "public"."pier"("id") ON DELETE no action ON UPDATE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "boat_pier" ON "boat" USING btree ("pier");

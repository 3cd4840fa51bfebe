ALTER TABLE "boat" DROP CONSTRAINT "boat_pier_pier_id_fk";
--> statement-breakpoint
ALTER TABLE "boat" ADD COLUMN "name" text DEFAULT '' NOT NULL;
--> statement-breakpoint
DO $$ BEGIN
 ALTER TABLE "boat" ADD CONSTRAINT "boat_pier_pier_id_fk" FOREIGN KEY ("pier") REFERENCES "public"."pier"("id") ON DELETE cascade ON UPDATE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;

ALTER TABLE "tree" ADD COLUMN "picked" integer;--> statement-breakpoint
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."touched" := now(); RETURN NEW; END $$;--> statement-breakpoint
CREATE TRIGGER "touch" BEFORE UPDATE ON "tree" FOR EACH ROW EXECUTE FUNCTION touch();

-- Drops the rows of notes, which the migration added.
DROP TABLE "notes" CASCADE;

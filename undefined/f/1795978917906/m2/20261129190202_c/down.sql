-- Drops the values of a.b, which the migration added.
ALTER TABLE "a" DROP COLUMN "b";

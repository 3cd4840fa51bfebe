-- Drops the rows of a, which the migration added.
DROP TABLE "a";

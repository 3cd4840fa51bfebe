-- Drops the rows of twice, which the migration added.
DROP TABLE "twice";

-- Drops the rows of posts, which the migration added.
DROP TABLE "posts" CASCADE;

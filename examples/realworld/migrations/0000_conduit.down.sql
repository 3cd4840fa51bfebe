-- Drops the rows of articles, which the migration added.
-- Drops the rows of favorites, which the migration added.
-- Drops the rows of comments, which the migration added.
-- Drops the rows of follows, which the migration added.
-- Drops the rows of article_tags, which the migration added.
-- Drops the rows of tags, which the migration added.
-- Drops the rows of users, which the migration added.
DROP TABLE "articles" CASCADE;--> statement-breakpoint
DROP TABLE "favorites" CASCADE;--> statement-breakpoint
DROP TABLE "comments" CASCADE;--> statement-breakpoint
DROP TABLE "follows" CASCADE;--> statement-breakpoint
DROP TABLE "article_tags" CASCADE;--> statement-breakpoint
DROP TABLE "tags" CASCADE;--> statement-breakpoint
DROP TABLE "users" CASCADE;

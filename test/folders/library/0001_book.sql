CREATE TABLE "book" (
	"id" integer PRIMARY KEY NOT NULL,
	"title" text
);

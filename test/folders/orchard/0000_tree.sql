CREATE TABLE "tree" (
	"id" integer PRIMARY KEY NOT NULL,
	"kind" text
);

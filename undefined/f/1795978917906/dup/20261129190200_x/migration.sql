CREATE TABLE "twice" (
	"id" integer CONSTRAINT "same" UNIQUE,
	"other" integer
);

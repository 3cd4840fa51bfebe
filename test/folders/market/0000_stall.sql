CREATE TABLE "stall" (
	"id" integer PRIMARY KEY NOT NULL
);

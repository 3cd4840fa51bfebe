CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"item" text NOT NULL,
	"quantity" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "received_events" (
	"id" uuid NOT NULL,
	"queue" text NOT NULL,
	CONSTRAINT "received_events_id_queue_pk" PRIMARY KEY("id","queue")
);
--> statement-breakpoint
CREATE TABLE "stock" (
	"item" text PRIMARY KEY NOT NULL,
	"left" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_item_stock_item_fk" FOREIGN KEY ("item") REFERENCES "public"."stock"("item") ON DELETE no action ON UPDATE no action;
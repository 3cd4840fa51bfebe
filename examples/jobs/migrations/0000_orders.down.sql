-- Drops the rows of orders, which the migration added.
-- Drops the rows of received_events, which the migration added.
-- Drops the rows of stock, which the migration added.
ALTER TABLE "orders" DROP CONSTRAINT "orders_item_stock_item_fk";
--> statement-breakpoint
DROP TABLE "orders" CASCADE;--> statement-breakpoint
DROP TABLE "received_events" CASCADE;--> statement-breakpoint
DROP TABLE "stock" CASCADE;

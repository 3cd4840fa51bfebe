-- Drops the rows of customers, which the migration added.
-- Drops the rows of invoice_lines, which the migration added.
-- Drops the rows of invoices, which the migration added.
ALTER TABLE "invoice_lines" DROP CONSTRAINT "invoice_lines_invoice_id_invoices_id_fk";
--> statement-breakpoint
ALTER TABLE "invoices" DROP CONSTRAINT "invoices_customer_id_customers_id_fk";
--> statement-breakpoint
DROP TABLE "customers" CASCADE;--> statement-breakpoint
DROP TABLE "invoice_lines" CASCADE;--> statement-breakpoint
DROP TABLE "invoices" CASCADE;

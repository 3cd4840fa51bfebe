ALTER TABLE "shelf" ADD COLUMN "left" text;

-- data-access: irreversible the values of users.note
ALTER TABLE "users" ADD COLUMN "note" text;

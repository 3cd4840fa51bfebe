-- Drops the values of users.nickname, which the migration added.
ALTER TABLE "users" DROP COLUMN "nickname";

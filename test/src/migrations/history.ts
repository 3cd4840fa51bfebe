import type { TestMigration } from './folder.js'

export const first: TestMigration = {
  tag: '0000_users',
  when: 1_700_000_000_000,
  sql: 'create table users (id int primary key, name text);\n--> statement-breakpoint\ncreate index users_name on users (name);',
  down: 'drop table users;'
}
export const second: TestMigration = {
  tag: '0001_posts',
  when: 1_700_000_001_000,
  sql: 'create table posts (id int primary key);\n--> statement-breakpoint\nalter table users add column age int;\n--> statement-breakpoint\ninsert into users values (1);',
  down: 'delete from users where id = 1;\n--> statement-breakpoint\nalter table users drop column age;\n--> statement-breakpoint\ndrop table posts;'
}
export const third: TestMigration = { tag: '0002_likes', when: 1_700_000_002_000, sql: 'create table likes (id int);', down: 'drop table likes;' }

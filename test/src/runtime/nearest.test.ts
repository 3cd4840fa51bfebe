import t from 'tap'
import { nearest } from '../../../src/runtime/nearest.js'

t.test('finds the name that differs least', async (t) => {
  const names = ['users_email_unique', 'users_name_unique', 'posts_author_id_users_id_fk']
  t.equal(nearest('users_email_key', names), 'users_email_unique')
  t.equal(nearest('users_nmae_unique', names), 'users_name_unique')
  t.equal(nearest('posts_author_id_fkey', names), 'posts_author_id_users_id_fk')
  t.equal(nearest('users_email_unique', names), 'users_email_unique')
})

t.test('finds no name among others that have little in common with it', async (t) => {
  t.equal(nearest('users_email_key', ['orders_total_check', 'a', '']), undefined)
  t.equal(nearest('users_email_key', []), undefined)
})

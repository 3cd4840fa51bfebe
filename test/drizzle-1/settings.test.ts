import t from 'tap'
import { resolveSettings } from '../../src/index.js'

t.test('casing is refused with the way out: Drizzle 1.0 would ignore it', async (t) => {
  const settings = () => resolveSettings({ connectionString: 'postgresql://localhost/shop', casing: 'snake_case' })
  t.throws(settings, { name: 'SettingsError', setting: 'casing', message: /snakeCase\.table\(\)/ })
})

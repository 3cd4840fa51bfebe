import neostandard from 'neostandard'

export default neostandard({ ts: true, ignores: ['dist', 'drizzle', '.tap', 'benchmark/node_modules'] })

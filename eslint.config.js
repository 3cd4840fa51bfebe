import neostandard from 'neostandard'

const typescript = ['**/*.ts']
const library = ['src/**/*.ts', 'plugins/**/*.ts']

export default [
  ...neostandard({ ts: true, ignores: ['**/dist', 'drizzle', '.tap', '.data', '.mutants', '.canary', '.site', '**/node_modules'] }),
  {
    files: typescript,
    rules: {
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }]
    }
  },
  {
    // A file past 250 lines wants a room of its own; a fourth parameter wants an options object.
    files: library,
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'no-console': 'error'
    }
  },
  {
    // Fastify's hooks have four.
    files: ['plugins/**/*.ts'],
    rules: { 'max-params': ['error', 4] }
  }
]

/** A section of the navigation: its pages in order, each by its path in `docs/`, or in `reference/` for those made from the source. */
export interface Section {
  readonly text: string
  /** `recipes/*` stands for every page of a folder, in the order of their titles. */
  readonly pages: readonly string[]
  readonly collapsed?: boolean
}

/** The navigation of the site. Each page of `docs/` has its place here; its title is its first heading. */
export const sections: readonly Section[] = [
  {
    text: 'Start',
    pages: [
      'start.md',
      'tutorial.md',
      'existing-database.md'
    ]
  },
  {
    text: 'Guides',
    pages: [
      'session.md',
      'repository.md',
      'lists.md',
      'crud.md',
      'uploads-and-streams.md',
      'errors.md',
      'server.md',
      'testing.md',
      'migrations.md',
      'migrations-that-do-not-block.md',
      'tenants.md',
      'events.md',
      'audit.md'
    ]
  },
  {
    text: 'In production',
    pages: [
      'settings.md',
      'deploying.md',
      'rolling-deployments.md',
      'observability.md',
      'observability/README.md',
      'reliability.md',
      'limits.md'
    ]
  },
  {
    text: 'Reference',
    pages: [
      'reference/index.md', 'reference/plugin.md', 'reference/environment.md', 'reference/sessions.md', 'reference/repositories.md', 'reference/tables.md',
      'reference/errors.md', 'reference/migrations.md', 'reference/command.md', 'reference/testing.md', 'reference/telemetry.md', 'telemetry-reference.md'
    ]
  },
  { text: 'Recipes', pages: ['recipes/*'] },
  { text: 'Coming from', pages: ['coming-from-*', 'python.md', 'drizzle-1.md'] }
]

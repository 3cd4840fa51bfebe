/** What the packed file holds, and how large it is. */
import { run } from './project.js'

interface Packed {
  /** Bytes of the packed file. */
  readonly size: number
  readonly unpackedSize: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/**
 * The limits of the packed file: a tenth more than it had when they were set, 895,721 bytes packed and 2,966,216 unpacked. A change
 * that needs more raises them here.
 */
const most = { size: 985_000, unpackedSize: 3_260_000 }

/** A program needs `bin` and `dist`, `init` needs `templates`, and those who write the program read the rest. */
const wanted = /^(?:(?:bin|dist\/src|dist\/plugins|docs|skills|templates)\/|(?:CHANGELOG|README)\.md$|LICENSE$|package\.json$)/

/** The test of a new service is a template. */
const unwanted = /^(?!templates\/).*\.test\.|\.tsbuildinfo$|\.map$|(?:^|\/)\./

/** @throws an error that names each file too many, or says what is too large */
export async function checkContents (tarball: string): Promise<void> {
  const [packed] = JSON.parse(await run('npm', ['pack', tarball, '--dry-run', '--json', '--ignore-scripts'])) as [Packed]
  const others = packed.files.map(({ path }) => path).filter((path) => !wanted.test(path) || unwanted.test(path))
  if (others.length > 0) throw new Error(`Files that no user of the package needs: ${others.join(', ')}`)
  for (const key of ['size', 'unpackedSize'] as const) {
    if (packed[key] > most[key]) throw new Error(`${key} is ${packed[key]} bytes, and should be at most ${most[key]}`)
  }
}

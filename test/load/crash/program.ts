import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { nodeOptions } from '../../helpers/child.js'
import type { ChildProcess } from 'node:child_process'

/** A program that has ended by itself. */
export interface Crash {
  /** The error with which it ended. */
  readonly words: string
}

/** The program to run, and its options. */
export interface ProgramOptions {
  /** From the root of the project. */
  readonly path: string
  /** The root of the project, or of a copy of it with a bug. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** The number of failed starts in a row that are allowed. */
const patience = 5

/** How long it may take to close in good order. */
const closingMillis = 20_000

const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })

/** A server in a process of its own, which is restarted whenever it ends, even by itself. */
export class Program {
  /** The unrequested ends of the process. */
  readonly crashes: Crash[] = []
  readonly #options: ProgramOptions
  #child: ChildProcess | undefined
  #isMeant = false
  /** The number of times in a row that it ended before it listened. */
  #stillborn = 0
  #port: Promise<number>

  constructor (options: ProgramOptions) {
    this.#options = options
    this.#port = this.#start()
  }

  /** Resolves with its port when it listens. */
  get port (): Promise<number> { return this.#port }

  /** Kills it without warning; resolves when it serves again. */
  async kill (): Promise<void> {
    await this.#port
    await this.#end('SIGKILL')
    this.#port = this.#start()
    await this.#port
  }

  /** Requests it to close; resolves with whether it did so in good order. */
  async stop (): Promise<boolean> {
    await this.#port.catch(() => {})
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), closingMillis)
    const isInOrder = await this.#end('SIGTERM')
    clearTimeout(timer)
    return isInOrder
  }

  async #end (signal: NodeJS.Signals): Promise<boolean> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return false
    this.#isMeant = true
    const exit = once(child, 'exit')
    child.kill(signal)
    const [code] = await exit
    this.#isMeant = false
    return code === 0
  }

  #start (): Promise<number> {
    const { path, folder, env } = this.#options
    // The coverage settings of the test process are removed, because this process is killed.
    const child = spawn('env', ['-u', 'NODE_V8_COVERAGE', `NODE_OPTIONS=${nodeOptions}`, process.execPath, '--import', 'tsx', join(folder, path)], {
      cwd: folder, env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#child = child
    running.add(child)
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(0, 4000) })
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4000)
        const [, port] = /^listening on (\d+)$/m.exec(output) ?? []
        if (port === undefined) return
        this.#stillborn = 0
        resolve(Number(port))
      })
      child.once('exit', () => {
        running.delete(child)
        if (this.#isMeant) return
        const crash = { words: errorIn(words) ?? errorIn(output) ?? `${words}${output}` }
        this.crashes.push(crash)
        if (++this.#stillborn > patience) return reject(new Error(`${path} does not start: ${crash.words}`))
        this.#port = this.#start()
        resolve(this.#port)
      })
    })
  }
}

/** The line with the message of an uncaught error. */
function errorIn (words: string): string | undefined {
  return /^\w*error\b.*$/mi.exec(words)?.[0]
}

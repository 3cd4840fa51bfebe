import { checkSettings } from '../../src/errors/check-call.js'
import type { RouteOptions } from 'fastify'
import type { OptionChecks } from '../../src/runtime/option-checks.js'

/** The live page, and who may see it. */
export interface LiveOptions {
  /** Runs before the routes of the live page, in place of the one of `health`: for example to admit administrators only. */
  preHandler?: NonNullable<RouteOptions['preHandler']> | undefined
}

const checks: OptionChecks<LiveOptions> = {
  preHandler: [(value) => [value].flat().every((hook) => typeof hook === 'function'), 'must be a hook, or an array of hooks']
}

/** @throws {SettingsError} for anything but true, false or valid options */
export function checkLive (live: unknown): void {
  if (live !== undefined && typeof live !== 'boolean') checkSettings({ path: 'health.live', kind: 'true, false, or an object with preHandler' }, live, checks)
}

/** The paths of the live page below the path of the health route. */
export function livePaths (path: string): string[] {
  return [`${path}/live`, `${path}/live/events`, `${path}/live/stacks`]
}

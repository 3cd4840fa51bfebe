import { open as openFloor } from './floor.js'

/** The floor of a library that commits when the handler has returned: it cannot know which statement is the last. */
export const open = (fastify, options) => openFloor(fastify, { ...options, commitsApart: true })

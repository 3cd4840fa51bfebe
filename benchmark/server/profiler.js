import { Session } from 'node:inspector/promises'

let session

/** Starts a profile like `node --cpu-prof`, without the start of the process in it. */
export async function startProfile () {
  session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
}

/** Returns the profile since then, in the format of a `.cpuprofile`. */
export async function stopProfile () {
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return profile
}

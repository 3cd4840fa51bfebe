import { Session } from 'node:inspector/promises'

let session

/** Starts what `node --cpu-prof` does, but without the start of the process in it. */
export async function startProfile () {
  session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
}

/** The profile since then, as a `.cpuprofile` holds it. */
export async function stopProfile () {
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return profile
}

/** Median, smallest and largest of some numbers. */
export function summary (values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted[sorted.length - 1] }
}

/** The ratios of a value of bursts to that of a baseline, round by round. `undefined` without a baseline. */
export function ratio (bursts, baseline, valueOf) {
  if (baseline === undefined) return undefined
  return summary(bursts.map((burst, round) => valueOf(burst) / valueOf(baseline[round])))
}

// Times as people read them.

/** 320 ms, 1.4 s, 12 s, 3 min, 2 h */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** Whole seconds, for what counts up. */
export function wholeSeconds(ms) {
  return ms < 120_000 ? `${Math.floor(ms / 1_000)} s` : duration(ms);
}

/** 09:41:07.120 */
export function timeOfDay(date = new Date()) {
  const two = (number) => String(number).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

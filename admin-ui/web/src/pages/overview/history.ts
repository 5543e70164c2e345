import type { Sample } from '../../api/shapes';

/** How many samples are drawn: an hour of one each five seconds. */
const MOST = 720;

/** Samples in order of time, each once, the newest `MOST`. */
export function joined(old: readonly Sample[], more: readonly Sample[]): Sample[] {
  const last = old.at(-1)?.at ?? 0;
  return [...old, ...more.filter((sample) => sample.at > last)].slice(-MOST);
}

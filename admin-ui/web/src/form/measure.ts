/** What is written as a number and a unit: a time in milliseconds, a size in bytes. */
export type Measure = 'duration' | 'size';

/** From the smallest; as the server reads them. */
const UNITS: Record<Measure, Record<string, number>> = {
  duration: { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  size: { B: 1, kB: 1000, KiB: 1024, MB: 1e6, MiB: 1024 ** 2, GB: 1e9, GiB: 1024 ** 3 },
};

const NOTHING: Record<Measure, string> = { duration: '0s', size: '0' };

/** With the largest unit that needs no fraction: `30d`, `512KiB`. */
export function written(measure: Measure, amount: number): string {
  if (amount === 0) return NOTHING[measure];
  const fitting = Object.entries(UNITS[measure]).filter(([, size]) => amount % size === 0);
  const [unit, size] = fitting.at(-1) ?? ['', 1];
  return `${amount / size}${unit}`;
}

/** Null if it is not written as the server wants it. */
export function amountOf(measure: Measure, text: string): number | null {
  const [, digits, unit = ''] = /^(\d+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  if (digits === undefined) return null;
  const size = unit === '' && measure === 'size' ? 1 : UNITS[measure][unit];
  const amount = Number(digits) * (size ?? NaN);
  return Number.isSafeInteger(amount) ? amount : null;
}

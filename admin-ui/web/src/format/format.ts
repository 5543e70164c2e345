import { locale, t } from '../i18n/language.svelte';

/** A whole or broken number as the language writes it. */
export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** Bytes with a binary unit that keeps the number small. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${number(value, value < 10 && step > 0 ? 1 : 0)} ${units[step]}`;
}

/** A point in time, given in seconds or milliseconds since 1970, or as RFC 3339. */
export function time(value: number | string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(
    moment(value),
  );
}

/** The same as date and time of day, between which a line may be broken. */
export function halves(value: number | string): [string, string] {
  const format = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' });
  const parts = format.formatToParts(moment(value));
  const at = parts.findIndex((part) => part.type === 'hour' || part.type === 'dayPeriod');
  const text = (some: typeof parts): string => some.map((part) => part.value).join('');
  return [text(parts.slice(0, at)).trim(), text(parts.slice(at))];
}

export function day(value: number | string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(moment(value));
}

/** Seconds as the two largest units that say something: `3 days 4 hours`. */
export function duration(seconds: number): string {
  const steps: [string, number][] = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ];
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, size] of steps) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0 || (unit === 'second' && parts.length === 0)) parts.push(amount(n, unit));
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** `in 3 days`, `2 hours ago`. */
export function ago(value: number | string): string {
  const seconds = (moment(value).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  const size = Math.abs(seconds);
  if (size < 45) return format.format(Math.round(seconds), 'second');
  if (size < 2700) return format.format(Math.round(seconds / 60), 'minute');
  if (size < 79200) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86400), 'day');
}

export function yesNo(value: boolean): string {
  return t(value ? 'yes' : 'no');
}

export function moment(value: number | string): Date {
  if (typeof value === 'string') return new Date(value);
  // Nobody means the year 5138 by a number of seconds.
  return new Date(value < 1e11 ? value * 1000 : value);
}

function amount(n: number, unit: string): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short' }).format(n);
}

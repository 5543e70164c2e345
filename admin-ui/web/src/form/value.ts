import type { Field } from './field';
import { amountOf, written } from './measure';

export type Values = Record<string, unknown>;

/** What is wrong with a value: a message's key and what stands in it. */
export interface Wrong {
  key: string;
  values?: Record<string, unknown>;
}

/** The fields that are asked for, as the boxes are. */
export function askedFor(fields: readonly Field[], boxes: Values): Field[] {
  return fields.filter(({ only }) => !only || boxes[only.field] === only.value);
}

/** What stands in a form's boxes for a value of the server. */
export function shown(field: Field, value: unknown): unknown {
  switch (field.shape) {
    case 'flag':
      return value === true;
    case 'list':
      return Array.isArray(value) ? value.map(String).join('\n') : '';
    case 'json':
      return value === undefined ? '' : JSON.stringify(value, null, 2);
    case 'time':
      return typeof value === 'number' ? localTime(value) : '';
    case 'duration':
    case 'size':
      return typeof value === 'number' ? written(field.shape, value) : String(value ?? '');
    case 'group':
      return shownAll(field.fields ?? [], (value ?? {}) as Values);
    default:
      return value === undefined || value === null ? '' : String(value);
  }
}

export function shownAll(fields: readonly Field[], values: Values): Values {
  return Object.fromEntries(
    fields.map((field) => [field.name, shown(field, values[field.name] ?? field.default)]),
  );
}

/** What an address says the fields have; of those alone that it names. */
export function fromQuery(fields: readonly Field[], query: URLSearchParams): Values {
  const named = fields.filter((field) => query.get(field.name));
  return Object.fromEntries(named.map((field) => [field.name, read(field, query.get(field.name) ?? '')]));
}

function read(field: Field, text: string): unknown {
  if (field.shape === 'flag') return text === 'true';
  if (field.shape === 'number' || field.shape === 'time') return Number(text);
  return field.shape === 'list' ? text.split(',') : text;
}

/** What the server is told for what stands in a box; undefined for nothing. */
export function given(field: Field, value: unknown): unknown {
  const text = typeof value === 'string' ? value : '';
  switch (field.shape) {
    case 'flag':
      return value === true || (field.required || field.default === true ? false : undefined);
    case 'number':
      return text.trim() === '' ? undefined : Number(text);
    case 'list':
      return listOf(field, text);
    case 'json':
      return text.trim() === '' ? undefined : JSON.parse(text);
    case 'time':
      return text === '' ? undefined : Math.floor(new Date(text).getTime() / 1000);
    case 'group':
      return givenAll(field.fields ?? [], (value ?? {}) as Values);
    case 'secret':
    case 'long':
      return text === '' ? undefined : text;
    default:
      return text.trim() === '' ? undefined : text.trim();
  }
}

export function givenAll(fields: readonly Field[], values: Values): Values {
  const all = fields.map((field) => [field.name, given(field, values[field.name])] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

/** What is wrong with what stands in a box; null if nothing is. */
export function wrong(field: Field, value: unknown): Wrong | null {
  let result: unknown;
  try {
    result = given(field, value);
  } catch {
    return { key: 'wrong.json' };
  }
  if (result === undefined || (Array.isArray(result) && result.length === 0)) {
    return field.required ? { key: 'wrong.missing' } : null;
  }
  if (field.shape === 'number') return wrongNumber(field, Number(result));
  if (field.shape === 'duration' || field.shape === 'size') {
    const amount = amountOf(field.shape, String(result));
    return amount === null ? { key: `wrong.${field.shape}` } : wrongNumber(field, amount);
  }
  if (Array.isArray(result) && field.maxItems !== undefined && result.length > field.maxItems) {
    return { key: 'wrong.many', values: { max: field.maxItems } };
  }
  return typeof result === 'string' ? wrongText(field, result) : null;
}

/** Every wrong field of a form, by its path: `limits.memory`. */
export function wrongAll(fields: readonly Field[], values: Values, above = ''): Record<string, Wrong> {
  const all: Record<string, Wrong> = {};
  for (const field of fields) {
    const path = above + field.name;
    if (field.shape === 'group') {
      Object.assign(all, wrongAll(field.fields ?? [], (values[field.name] ?? {}) as Values, `${path}.`));
      continue;
    }
    const found = wrong(field, values[field.name]);
    if (found) all[path] = found;
  }
  return all;
}

function wrongNumber(field: Field, value: number): Wrong | null {
  if (!Number.isFinite(value)) return { key: 'wrong.number' };
  const { min, max } = field;
  const [least, most] = [bound(field, min), bound(field, max)];
  if (min !== undefined && max !== undefined && (value < min || value > max)) {
    return { key: 'wrong.between', values: { min: least, max: most } };
  }
  if (min !== undefined && value < min) return { key: 'wrong.least', values: { min: least } };
  if (max !== undefined && value > max) return { key: 'wrong.most', values: { max: most } };
  return null;
}

/** A bound as it would stand in the box. */
export function bound(field: Field, at: number | undefined): number | string | undefined {
  const measured = field.shape === 'duration' || field.shape === 'size';
  return measured && at !== undefined ? written(field.shape as 'size', at) : at;
}

function wrongText(field: Field, value: string): Wrong | null {
  if (field.maxLength !== undefined && new TextEncoder().encode(value).length > field.maxLength) {
    return { key: 'wrong.long', values: { max: field.maxLength } };
  }
  if (field.minLength !== undefined && value.length < field.minLength) {
    return { key: 'wrong.short', values: { min: field.minLength } };
  }
  if (field.pattern && !matches(field.pattern, value)) return { key: 'wrong.pattern' };
  if (field.kind === 'account' && !/^[^@/\s]+@[^@/\s]+$/.test(value)) return { key: 'wrong.account' };
  return null;
}

// A pattern that this browser cannot read is the server's to check.
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

function listOf(field: Field, text: string): unknown[] | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  if (lines.length === 0 && !Array.isArray(field.default)) return undefined;
  return field.item?.shape === 'number' ? lines.map(Number) : lines;
}

function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

import { known } from '../i18n/language.svelte';

/** How a value of the server is shown where no page knows it. */
export type Look = 'nothing' | 'word' | 'words' | 'table' | 'facts' | 'text';

export function lookOf(value: unknown): Look {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'string') return value.includes('\n') ? 'text' : 'word';
  if (typeof value !== 'object') return 'word';
  if (!Array.isArray(value)) return Object.keys(value).length ? 'facts' : 'nothing';
  if (value.length === 0) return 'nothing';
  return value.every((item) => item !== null && typeof item === 'object' && !Array.isArray(item))
    ? 'table'
    : 'words';
}

/** The items of an answer that is a page of a list, else null. */
export function itemsOf(value: unknown): unknown[] | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const items = (value as Record<string, unknown>).items;
  return Array.isArray(items) && 'next' in value ? items : null;
}

/** Every key that occurs, in order of first occurrence. */
export function keysOf(rows: readonly Record<string, unknown>[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** What a key is called. */
export function headOf(key: string): string {
  return known(`field.${key}`, key.replaceAll('_', ' '));
}

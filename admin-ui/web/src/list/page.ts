/** A part of a list, as the server gives it. */
export interface Page<T> {
  items: T[];
  /** What to give as `after` for those that follow; null at the end. */
  next: string | null;
  total: number | null;
}

/** Which part of a list; all of it stands in the page's address. */
export interface Ask {
  search: string;
  sort: string;
  order: 'asc' | 'desc';
  after: string;
  limit: number;
  /** What else the page filters by. */
  filters: Record<string, string>;
}

/** What an operation of the table is asked with. */
export function argumentsOf(ask: Ask): Record<string, unknown> {
  return {
    ...ask.filters,
    search: ask.search || undefined,
    sort: ask.sort || undefined,
    order: ask.sort ? ask.order : undefined,
    after: ask.after || undefined,
    limit: ask.limit,
  };
}

/** An answer as a page: some operations give all there is at once. */
export function pageOf<T>(answer: Page<T> | T[], ask: Ask): Page<T> {
  return Array.isArray(answer) ? cut(answer, ask) : answer;
}

/** Searches, sorts and cuts what is all here. */
export function cut<T>(all: readonly T[], ask: Ask): Page<T> {
  const words = ask.search.toLowerCase();
  let items = words ? all.filter((item) => JSON.stringify(item).toLowerCase().includes(words)) : [...all];
  if (ask.sort) {
    const sign = ask.order === 'desc' ? -1 : 1;
    items.sort((a, b) => sign * compare(valueOf(a, ask.sort), valueOf(b, ask.sort)));
  }
  const total = items.length;
  const start = Number(ask.after) || 0;
  items = items.slice(start, start + ask.limit);
  const end = start + items.length;
  return { items, total, next: end < total ? String(end) : null };
}

function valueOf(item: unknown, key: string): unknown {
  return (item as Record<string, unknown> | null)?.[key];
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''), undefined, { numeric: true });
}

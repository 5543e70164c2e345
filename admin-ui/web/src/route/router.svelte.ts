import { match, type Found } from './match';
import { routes } from './routes';

let path = $state(location.pathname);
let search = $state(location.search);
/** Counts visits, so that a visit to the page one is on is seen. */
let visits = $state(0);

/** What stood behind the `?` of each page when it was last seen. */
const queries = new Map([[location.pathname, location.search]]);

const found: Found | null = $derived(match(routes, path));
const query = $derived(new URLSearchParams(search));

export const here = {
  get path(): string {
    return path;
  },
  get found(): Found | null {
    return found;
  },
  get query(): URLSearchParams {
    return query;
  },
  get visits(): number {
    return visits;
  },
};

window.addEventListener('popstate', read);

function read(): void {
  path = location.pathname;
  search = location.search;
  queries.set(path, search);
}

/** A page as it was when it was last seen: with its search, filters and part of a list. */
export function lastOf(path: string): string {
  return path + (queries.get(path) ?? '');
}

/** Somebody is let in, who was elsewhere before; what others looked at is forgotten. */
export function arrive(): void {
  queries.clear();
  queries.set(path, search);
  visits += 1;
}

/** Goes to a page of the console. */
export function go(address: string, replace = false): void {
  const samePage = address.split('?')[0] === path;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  read();
  if (!samePage) visits += 1;
}

/** Changes what stands behind the `?`; null and empty values take a key away. */
export function setQuery(changes: Record<string, string | null>, replace = true): void {
  const next = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  go(location.pathname + (text ? `?${text}` : ''), replace);
}

/** Lets ordinary links work without loading the page anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  const address = link.getAttribute('href') ?? '';
  if (!address.startsWith('/') || address.startsWith('/api/')) return;
  event.preventDefault();
  go(address);
}

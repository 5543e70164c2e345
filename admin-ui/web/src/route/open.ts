import { may, mayFollow } from '../api/operations.svelte';
import { match, type Route } from './match';
import { routes } from './routes';

/** Whether the caller has any use of a page. */
export function isOpen(route: Route): boolean {
  if (route.topic) return mayFollow(route.topic);
  return !route.needs || route.needs.some(may);
}

/** Whether an address of the console leads the caller to a page of use. */
export function leads(address: string): boolean {
  const found = match(routes, address.split('?')[0] ?? '');
  return found !== null && isOpen(found.route);
}

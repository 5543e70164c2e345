import { may, mayFollow } from '../api/operations.svelte';
import type { Route } from './match';

/** Whether the caller has any use of a page. */
export function isOpen(route: Route): boolean {
  if (route.topic) return mayFollow(route.topic);
  return !route.needs || route.needs.some(may);
}

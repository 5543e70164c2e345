import { run } from '../api/operations.svelte';
import { argumentsOf, pageOf, type Ask, type Page } from './page';

/** Loads a list by an operation of the table. */
export function listed<T>(name: string, more: () => Record<string, unknown> = () => ({})) {
  return async (ask: Ask, signal: AbortSignal): Promise<Page<T>> =>
    pageOf(await run<Page<T> | T[]>(name, { ...argumentsOf(ask), ...more() }, signal), ask);
}

import { operation, run } from '../api/operations.svelte';
import type { Column } from './column';
import { argumentsOf, pageOf, type Ask, type Page } from './page';

/** Loads a list by an operation of the table. */
export function listed<T>(name: string, more: () => Record<string, unknown> = () => ({})) {
  return async (ask: Ask, signal: AbortSignal): Promise<Page<T>> =>
    pageOf(await run<Page<T> | T[]>(name, { ...argumentsOf(ask), ...more() }, signal), ask);
}

/** Columns of such a list; those that the operation cannot sort by have no way to be sorted by. */
export function sorted<T>(name: string, columns: Column<T>[]): Column<T>[] {
  const can = operation(name)?.arguments.find((it) => it.name === 'sort')?.schema.enum ?? [];
  return columns.map((column) => (can.includes(column.sort) ? column : { ...column, sort: undefined }));
}

import type { Component } from 'svelte';
import type { IconName } from '../icon/icons';

/** A page of the console. */
export interface Route {
  /** With `:name` where a value stands. */
  path: string;
  /** The key of its name in the messages: `page.` and this. */
  name: string;
  /** A component that takes the `values` of the path, if it takes anything. */
  load: () => Promise<{ default: Component<any> }>;
  /** Stands in the navigation. */
  icon?: IconName;
  /** Shown only if the caller may call at least one of these. */
  needs?: string[];
  /** Shown only if the caller may follow this topic. */
  topic?: string;
  /** The page that this one belongs to, in the navigation. */
  under?: string;
}

export interface Found {
  route: Route;
  values: Record<string, string>;
}

/** The page of a path. */
export function match(routes: readonly Route[], path: string): Found | null {
  const parts = split(path);
  for (const route of routes) {
    const values = fit(split(route.path), parts);
    if (values) return { route, values };
  }
  return null;
}

function fit(pattern: string[], parts: string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = parts[index] ?? '';
    if (part.startsWith(':')) {
      try {
        values[part.slice(1)] = decodeURIComponent(given);
      } catch {
        return null;
      }
    } else if (part !== given) return null;
  }
  return values;
}

function split(path: string): string[] {
  return path.split('/').filter(Boolean);
}

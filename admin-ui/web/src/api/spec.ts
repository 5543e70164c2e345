/** A JSON Schema, as much of it as is looked at. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  writeOnly?: boolean;
  [more: string]: unknown;
}

export type Arguments = Record<string, unknown>;

/** What doing it means: nothing to say, a sentence to confirm, or an argument's value to type once more. */
export type Danger = null | { says: string; type?: string };

export interface Argument {
  name: string;
  help: string;
  required: boolean;
  /** Of the table's kinds: `account`, `secret`, `upload` and so on. */
  kind: string;
  schema: Schema;
}

/** What it concerns, and the argument that names it. */
export interface About {
  about: 'server' | 'common' | 'domain' | 'account' | 'address' | 'account-or-domain';
  argument?: string;
}

/** One operation of the server's table. */
export interface Spec {
  name: string;
  help: string;
  arguments: Argument[];
  method: string;
  /** Below `/api/v1`, with `{argument}` where arguments stand. */
  path: string;
  changes: boolean;
  danger: Danger;
  /** What in its answer is a time, as far as a plugin says so. */
  times: string[];
  /** Who may call it; with `user` everybody for the own account, or for nobody's in particular. */
  roles: string[];
  about: About;
  /** Whether a plugin contributes it. */
  contributed: boolean;
}

/** As the server writes it. */
export interface RawSpec {
  name: string;
  help: string;
  method: string;
  path: string;
  arguments: { name: string; help: string; required: boolean; type: { kind: string }; schema: Schema }[];
  changes: boolean;
  times: string[];
  roles: string[];
  about: About;
  danger: { level: 'none' | 'confirm' | 'type'; says?: string; argument?: string };
}

export function specOf(raw: RawSpec, base: string): Spec {
  const path = raw.path.startsWith(base) ? raw.path.slice(base.length) : raw.path;
  return {
    name: raw.name,
    help: raw.help,
    arguments: raw.arguments.map(({ type, ...argument }) => ({ ...argument, kind: type.kind })),
    method: raw.method,
    path,
    changes: raw.changes,
    times: raw.times,
    roles: raw.roles,
    about: raw.about,
    danger: raw.danger.level === 'none' ? null : { says: raw.danger.says ?? '', type: raw.danger.argument },
    contributed: path.startsWith('/x/'),
  };
}

/** Whether it answers with pages of a list. */
export function lists(spec: Spec): boolean {
  return !spec.changes && ['limit', 'after'].every((name) => spec.arguments.some((it) => it.name === name));
}

/** What says which part of a list; the list itself has places for them. */
export const OF_LISTS = new Set(['limit', 'after', 'search', 'sort', 'order']);

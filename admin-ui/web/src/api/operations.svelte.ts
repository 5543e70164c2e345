import { BASE, request } from './client';
import { Problem } from './problem';
import { completed, ownOnly, within, type Caller } from './reach';
import { specOf, type Arguments, type RawSpec, type Spec } from './spec';

let specs = $state.raw<Map<string, Spec>>(new Map());
let topics = $state.raw<Set<string>>(new Set());
let caller = $state.raw<Caller>({ account: '', role: 'user', domains: null });

/** Asks the server which operations the caller may call, and which topics follow. */
export async function loadOperations(by: Caller): Promise<void> {
  const [raw, followed] = await Promise.all([
    request<{ operations: RawSpec[] }>('GET', '/operations'),
    request<{ topics: { name: string }[] }>('GET', '/topics'),
  ]);
  caller = by;
  topics = new Set(followed.topics.map((topic) => topic.name));
  const list = raw.operations.map((spec) => specOf(spec, BASE));
  specs = new Map(list.map((spec) => [spec.name, spec]));
}

export function forgetOperations(): void {
  specs = new Map();
  topics = new Set();
}

/** All that the caller may call, by name. */
export function operations(): Spec[] {
  return [...specs.values()].sort((a, b) => a.name.localeCompare(b.name));
}

export function operation(name: string): Spec | undefined {
  return specs.get(name);
}

/** Whether the caller may call it (and the server knows it). */
export function may(name: string): boolean {
  return specs.has(name);
}

/** Whether the caller may call it on this. */
export function reaches(name: string, given: Arguments): boolean {
  const spec = specs.get(name);
  return spec !== undefined && within(caller, spec, given);
}

/** Whether the caller may call it for more than the own account. */
export function reachesOthers(name: string): boolean {
  const spec = specs.get(name);
  return spec !== undefined && !ownOnly(caller, spec);
}

/** Whether the caller may follow a topic of live events. */
export function mayFollow(topic: string): boolean {
  return topics.has(topic);
}

/** Calls an operation: path, query and body are filled as its route says. */
export async function run<T>(spec: Spec | string, given: Arguments = {}, signal?: AbortSignal): Promise<T> {
  const it = typeof spec === 'string' ? specs.get(spec) : spec;
  if (!it) throw new Problem(404, 'unknown-operation', '', '');
  const rest: Arguments = await uploaded(it, completed(caller, it, given), signal);
  const path = it.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(rest[name] ?? ''));
    delete rest[name];
    return value;
  });
  for (const [key, value] of Object.entries(rest)) if (value === undefined || value === '') delete rest[key];
  const inQuery = it.method === 'GET' || it.method === 'DELETE';
  return request<T>(it.method, path, inQuery ? { query: rest, signal } : { body: rest, signal });
}

/** Files are sent first; the operation is told what they are called then. */
async function uploaded(spec: Spec, given: Arguments, signal?: AbortSignal): Promise<Arguments> {
  const rest: Arguments = { ...given };
  for (const [name, value] of Object.entries(rest)) {
    if (!(value instanceof Blob) || !spec.arguments.some((it) => it.name === name)) continue;
    rest[name] = await upload(value, signal);
  }
  return rest;
}

/** Sends a file; gives what to name it in an argument, for an hour. */
export async function upload(file: Blob, signal?: AbortSignal): Promise<string> {
  return (await request<{ upload: string }>('POST', '/uploads', { raw: file, signal })).upload;
}

import { Problem, problemOf } from './problem';

export const BASE = '/api/v1';

let csrf = '';
let whenSignedOut: () => void = () => {};

/** The token that every request that changes something carries. */
export function useToken(token: string): void {
  csrf = token;
}

/** What to do when the server no longer knows who we are. */
export function onSignedOut(what: () => void): void {
  whenSignedOut = what;
}

const unasked = new WeakSet<AbortSignal>();

/** A signal for requests that nobody asked for: they do not keep the session alive. */
export function unattended(signal: AbortSignal): AbortSignal {
  const own = AbortSignal.any([signal]);
  unasked.add(own);
  return own;
}

export interface Options {
  query?: Record<string, unknown>;
  body?: unknown;
  /** Sent as it is instead of JSON. */
  raw?: Blob;
  signal?: AbortSignal;
  /** A 401 is an answer here, not the end of the session. */
  quiet?: boolean;
}

/** Calls the server; throws a `Problem` if it does not answer with 2xx. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && !options.quiet) whenSignedOut();
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  const type = response.headers.get('content-type') ?? '';
  return (type.includes('json') ? await response.json() : await response.text()) as T;
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  let body: BodyInit | undefined;
  if (options.raw) {
    headers['content-type'] = 'application/octet-stream';
    body = options.raw;
  } else if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(options.body);
  }
  if (options.signal && unasked.has(options.signal)) headers['x-unattended'] = 'yes';
  if (method !== 'GET' && csrf) headers['x-csrf-token'] = csrf;
  try {
    return await fetch(BASE + path + queryOf(options.query), {
      method,
      headers,
      body,
      signal: options.signal,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'unreachable', '', '');
  }
}

/** `?a=1&b=2` of what is given; nothing for what is absent or empty. */
export function queryOf(query: Record<string, unknown> = {}): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue;
    parts.append(key, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = parts.toString();
  return text ? `?${text}` : '';
}

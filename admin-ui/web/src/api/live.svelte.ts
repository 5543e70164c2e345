import { BASE, request } from './client';

export type LiveState = 'off' | 'connecting' | 'live' | 'lost';

type Hear = (data: unknown) => void;

const listeners = new Map<string, Set<Hear>>();
/** More for the server to know about a topic, such as a filter. */
const options = new Map<string, string>();
let source: EventSource | null = null;
let address = '';
let attempts = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let state = $state<LiveState>('off');
let planned = false;

/** Whether what is seen is of this moment. */
export function liveState(): LiveState {
  return state;
}

/**
 * Hears a topic of `GET /events` until the function that it gives back is called. All topics
 * share one connection, which is made anew when the topics change or it breaks.
 */
export function hear(topic: string, listener: Hear, filter: Record<string, string> = {}): () => void {
  const set = listeners.get(topic) ?? new Set();
  set.add(listener);
  listeners.set(topic, set);
  const filters = Object.entries(filter).filter(([, value]) => value);
  options.set(
    topic,
    new URLSearchParams(filters.map(([key, value]) => [`${topic}.${key}`, value])).toString(),
  );
  plan();
  return () => {
    set.delete(listener);
    if (set.size === 0) {
      listeners.delete(topic);
      options.delete(topic);
    }
    plan();
  };
}

/** Ends the connection and forgets who listened. */
export function silence(): void {
  listeners.clear();
  options.clear();
  plan();
}

// Pages change several topics at once; one new connection is enough.
function plan(): void {
  if (planned) return;
  planned = true;
  queueMicrotask(() => {
    planned = false;
    connect();
  });
}

function connect(): void {
  const topics = [...listeners.keys()].sort();
  const more = [...options.values()].filter(Boolean).join('&');
  const wanted = topics.length ? `${BASE}/events?topics=${topics.join(',')}${more ? `&${more}` : ''}` : '';
  if (wanted === address && source) return;
  close();
  address = wanted;
  if (!wanted) {
    state = 'off';
    return;
  }
  state = state === 'lost' ? 'lost' : 'connecting';
  source = new EventSource(wanted);
  source.onopen = () => {
    attempts = 0;
    state = 'live';
  };
  source.onerror = again;
  for (const topic of topics) source.addEventListener(topic, (event) => tell(topic, event));
}

function tell(topic: string, event: MessageEvent): void {
  let data: unknown;
  try {
    data = JSON.parse(String(event.data));
  } catch {
    return;
  }
  for (const listener of listeners.get(topic) ?? []) listener(data);
}

// The browser tries again by itself only for some errors and without any patience.
function again(): void {
  close();
  address = '';
  state = 'lost';
  const wait = Math.min(30_000, 500 * 2 ** attempts) * (0.75 + Math.random() / 2);
  attempts += 1;
  // A stream that ends may be a session that has.
  request('GET', '/session').catch(() => undefined);
  timer = setTimeout(connect, wait);
}

function close(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
}

// What operations answer with, as far as pages look at it. The server's OpenAPI document has all of it.

export interface Account {
  account: string;
  created: number;
  disabled: boolean;
  sessions: string[];
  role?: { rank: string; domains: string[] | null } | string;
}

export interface SessionRow {
  jid: string;
  available: boolean;
  priority: number;
  peer: string | null;
  seconds: number | null;
  queued: number;
  management: 'none' | 'acknowledging' | 'resumable' | 'hibernated';
  unacknowledged: number;
  inactive: boolean;
  [more: string]: unknown;
}

export interface Trouble {
  level: 'error' | 'warning';
  area: string;
  text: string;
}

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  connections: number;
  sessions: number;
  stanzas_in: number;
  stanzas_out: number;
  errors: number;
  commit_ms: number;
  delay_ms: number;
  memory: number;
  plugin_calls: number;
  plugin_busy: number;
}

export interface Overview {
  problems: Trouble[];
  version: string;
  uptime_seconds: number;
  domains: string[];
  connections: number;
  sessions: number;
  hibernated: number;
  accounts_online: number;
  latest: Sample | null;
  store: {
    backend: string;
    bytes: number | null;
    disk_free: number | null;
    writable: boolean;
    waiting: number;
  };
  certificates: { domain: string; valid_until: number; days_left: number }[];
  plugins: { running: number; off: number; unwell: string[] };
}

export interface DomainRow {
  domain: string;
  accounts: number;
  sessions: number;
  anonymous: boolean;
  certificate: string;
  valid_until: number | null;
  plugins: number;
  services: string[];
}

export interface CertificateRow {
  domain: string;
  names: string[];
  issuer: string;
  self_signed: boolean;
  fingerprint: string;
  valid_until: number;
  days_left: number;
  problems: string[];
  [more: string]: unknown;
}

export interface LogLine {
  number: number;
  at: number;
  level: string;
  target: string;
  message: string;
  fields: Record<string, string>;
}

export interface PluginRow {
  id: string;
  version: string;
  state: string;
  note: string | null;
  domains: string[];
  calls: number;
  faults: number;
}

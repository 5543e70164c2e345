// What operations answer with, as far as pages look at it. The server's OpenAPI document has all of it.

export interface Account {
  account: string;
  created: number;
  disabled: boolean;
  sessions: string[];
  role?: { role: string; domains: string[] | null } | string;
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
  client: string | null;
  tls: string | null;
  cipher: string | null;
  mechanism: string;
  anonymous: boolean;
  since: number;
  stanzas_in: number;
  stanzas_out: number;
  bytes_in: number;
  bytes_out: number;
}

/** As `session.show` has it. */
export interface SessionDetail extends SessionRow {
  device: string | null;
  queued_stanzas: number;
  resumable_seconds: number | null;
  presence: string | null;
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
  /** The server's end that is to come. */
  ending: { ending: 'stop' | 'restart'; at: number } | null;
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

export interface DomainDetail extends DomainRow {
  certificate_file: string | null;
  key_file: string | null;
  enabled: string[];
  writable: boolean;
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
  source: 'self-signed' | 'files' | 'acme';
  /** When it will be ordered anew. */
  renews: number | null;
  /** When an order failed last, and why. */
  tried: number | null;
  error: string | null;
  ordering: boolean;
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

export interface PluginDetail extends PluginRow {
  description: string;
  manifest: string;
}

export interface PluginUse {
  grants: string[];
  limits: string[];
  follows: string[];
  calls: number;
  faults: number;
  refused: number;
  busy_ms: number;
  mean_ms: number;
  slowest_ms: number;
  instances: number;
  memory: number;
  sends: number;
  writes: number;
  log_dropped: number;
  quarantined: string[];
  /** Milliseconds since 1970, and what happened. */
  last_fault: { at: number; what: string } | null;
  previous: string | null;
}

export interface PackageReport {
  id: string;
  version: string;
  summary: string;
  license: string;
  fingerprint: string;
  bytes: number;
  follows: string[];
  grants: string[];
  limits: string[];
  installed: string | null;
  new_grants: string[];
  lost_grants: string[];
}

export interface PluginOption {
  name: string;
  help: string;
  kind: string;
  /** The words of a choice. */
  values?: string[];
  min: number | null;
  max: number | null;
  value: unknown;
  default: unknown;
  origin: string;
  place: string | null;
}

export interface SeenStanza {
  at: number;
  way: 'in' | 'out';
  session: string;
  kind: 'message' | 'presence' | 'iq';
  type: string | null;
  from: string | null;
  to: string | null;
  payload: string[];
  bytes: number;
  xml: string;
  unlocked: boolean;
  missed: number;
}

export interface Setting {
  section: string;
  key: string;
  value: string | null;
  default: string | null;
  bounds: string;
  origin: { from: string; place?: string };
  restart: boolean;
}

export interface Change {
  section: string;
  key: string;
  before: string | null;
  after: string | null;
  restart: boolean;
}

export interface Preview {
  problems: { place: string; message: string }[];
  changes: Change[];
  text: string;
}

export interface AuditRow {
  at: number;
  who: string;
  from: string;
  face: string;
  operation: string;
  what: string;
  arguments?: Record<string, unknown>;
  before?: unknown;
  after?: unknown;
  error?: string | null;
}

export interface TableRow {
  table: string;
  owner: string;
  entries: number;
  bytes: number;
  partial: boolean;
}

export interface RoomRow {
  room: string;
  name: string;
  occupants: number;
  public: boolean;
  persistent: boolean;
}

/** One way of reaching other software. */
export interface Links {
  ability: 'not-implemented' | 'disabled' | 'enabled';
  says: string;
  links: { domain: string; local: string; since: number }[];
}

export interface FederationReport {
  servers: Links;
  components: Links;
  services: { address: string; domain: string; plugin: string }[];
}

export interface ExportRow {
  file: string;
  bytes: number;
  written: number;
}

/** `token.list` */
export interface TokenRow {
  id: string;
  account: string;
  name: string;
  ceiling: string;
  /** Names of operations, `noun.*`, or `*`. */
  scopes: string[];
  created: number;
  /** Null: until it is revoked. */
  expires: number | null;
  used: number | null;
}
